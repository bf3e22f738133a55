"""Keyword arguments of the calls, for type checkers. Nothing imports this module at run time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike
from typing import Callable, Literal, TypedDict, Union

from ._vaultlet import Cancel

Path = Union[str, "PathLike[str]"]


class AsyncCallOptions(TypedDict, total=False):
    """Options of a call that is awaited."""

    timeout: float | None
    client_id: str | None
    object_id: str | None
    resource_id: str | None


class AsyncTokenOptions(AsyncCallOptions, total=False):
    """Options of a call for a token that is awaited."""

    scope: str | None
    tenant: str | None
    claims: str | None


class CallOptions(AsyncCallOptions, total=False):
    """Options of a call that blocks."""

    cancel: Cancel | None


class TokenOptions(AsyncTokenOptions, total=False):
    """Options of a call for a token that blocks."""

    cancel: Cancel | None


class HandleOptions(TypedDict, total=False):
    """Options of a handle."""

    identity: str | Iterable[str] | None
    exclude: str | Iterable[str] | None
    client_id: str | None
    object_id: str | None
    resource_id: str | None
    additional_tenants: str | Iterable[str] | None
    user_assertion: str | None
    user_assertion_file: Path | None
    cloud: Literal["public", "china", "usgov"] | None
    concurrency: int | None
    timeout: float | None
    ca_file: Path | Iterable[Path] | None
    resolve: str | Iterable[str] | None
    allow_http_loopback: bool | None
    allow_http_identity: str | Iterable[str] | None
    policy: Path | None
    agent: str | None
    agent_token_file: Path | None
    agent_fallback: Literal["none", "direct"] | None
    variables: Mapping[str, str] | None
    on_prompt: Callable[[str], object] | None
