"""Secrets in Ray's runtime environments: `env_vars` may have references, and workers have their values.

    RAY_RUNTIME_ENV_PLUGINS='[{"class": "vaultlet.ray.EnvVarsPlugin"}]' ray start …      # on each node
    ray.init(runtime_env={"env_vars": {"DB_PASSWORD": "akv://my-key-vault/db-password"}})

Ray keeps, logs and shows the reference. Each node has one agent (`vaultlet agent`), which gets each secret once
with the identity of the node. A worker starts as `vaultlet run -- python …`, which asks that agent and becomes the
worker: the value is in the environment of that process and nowhere else.

`EnvVarsPlugin` resolves the references of `env_vars`, `VaultletPlugin` those of a field of its own,
`"vaultlet": {"env": {"DB_PASSWORD": "akv://…"}}`, in which whatever is no reference is an error.
"""

from __future__ import annotations

import os
import re
import shlex
import time
from hashlib import sha256

from .._errors import ConfigurationError, InvalidArgumentError
from ._agent import NodeAgent
from ._check import check
from ._program import program

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping
    from typing import Any

try:
    from ray._private.runtime_env.plugin import RuntimeEnvPlugin
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(f"{error}; run `pip install 'vaultlet[ray]'`", name=error.name) from None

__all__ = ["EnvVarsPlugin", "VaultletPlugin"]

# What may be a reference: `vaultlet run` decides.
_LIKE_ONE = re.compile(r"\s*(akv:|@Microsoft\.KeyVault\(|https?://[^/]+/secrets/)", re.IGNORECASE)
# A field that Ray could not pass to a command.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Ray tries three times, a second apart, to create an environment. For this time it gets the same failure.
_KEPT = 5.0

# Both plugins of a node use it.
_agent = NodeAgent()


class _Plugin(RuntimeEnvPlugin):  # type: ignore[misc, unused-ignore]
    """What both plugins do. A URI stands for the references of an environment: while Ray counts a use of one, the
    agent of the node runs."""

    # After those that choose the Python of the worker, which have 10.
    priority = 90

    def __init__(self) -> None:
        self._failures: dict[str, tuple[float, Exception]] = {}
        # What is unused is given up at once: the last worker ends the agent.
        os.environ.setdefault(f"RAY_RUNTIME_ENV_{self.name}_CACHE_SIZE_GB".upper(), "0")

    @classmethod
    def references(cls, runtime_env: Mapping[str, Any]) -> dict[str, str]:
        """The variables whose values are to be resolved, of an environment of which nothing is known."""
        raise NotImplementedError

    def get_uris(self, runtime_env: Mapping[str, Any]) -> list[str]:
        references = self.references(runtime_env)
        if not references:
            return []
        text = "\0".join(f"{name}={references[name]}" for name in sorted(references))
        return [f"vaultlet-{self.name}://{sha256(text.encode()).hexdigest()}"]

    async def create(
        self, uri: str | None, runtime_env: Mapping[str, Any], context: Any, logger: logging.Logger
    ) -> int:
        references = self.references(runtime_env)
        if uri is None or not references:
            return 0
        found_at, failure = self._failures.get(uri, (0.0, None))
        if failure is not None and time.monotonic() - found_at < _KEPT:
            raise failure.with_traceback(None)
        self._failures.pop(uri, None)
        try:
            _refuse_containers(runtime_env)
            _agent.hold(uri)
            await check(_agent, references)
        except BaseException as error:
            # It may be that Ray gives up.
            _agent.release(uri)
            if isinstance(error, Exception):
                self._failures = {uri: (time.monotonic(), error)}
            raise
        # A size above that of the cache.
        return 1

    def modify_context(
        self, uris: list[str], runtime_env: Mapping[str, Any], context: Any, logger: logging.Logger
    ) -> None:
        references = self.references(runtime_env)
        if not references:
            return
        context.env_vars = {**context.env_vars, **references, **_agent.variables()}
        # `vaultlet` is replaced by Python, whose process id Ray knows then.
        words = [program(), "run", "--no-masking", f"--only={','.join(sorted(references))}", "--"]
        context.py_executable = f"{shlex.join(words)} {context.py_executable}"

    def delete_uri(self, uri: str, logger: logging.Logger) -> int:
        _agent.release(uri)
        return 1


class EnvVarsPlugin(_Plugin):
    """Resolves the references among the `env_vars` of a runtime environment."""

    name = "env_vars"

    @classmethod
    def references(cls, runtime_env: Mapping[str, Any]) -> dict[str, str]:
        variables = runtime_env.get(cls.name)
        if not isinstance(variables, dict):
            return {}
        is_one = lambda value: isinstance(value, str) and _LIKE_ONE.match(value) is not None
        return {name: value for name, value in variables.items() if is_one(value)}


class VaultletPlugin(_Plugin):
    """Resolves the references in the field `vaultlet` of a runtime environment."""

    name = "vaultlet"

    @classmethod
    def references(cls, runtime_env: Mapping[str, Any]) -> dict[str, str]:
        field = runtime_env.get(cls.name)
        variables = field.get("env") if isinstance(field, dict) else None
        if not isinstance(variables, dict):
            return {}
        is_text = lambda value: isinstance(value, str)
        return {name: value for name, value in variables.items() if is_text(value)}

    @staticmethod
    def validate(runtime_env_dict: Mapping[str, Any]) -> None:
        field = runtime_env_dict.get("vaultlet")
        form = 'write {"vaultlet": {"env": {"NAME": "akv://VAULT/SECRET"}}}'
        if not isinstance(field, dict) or not isinstance(field.get("env"), dict):
            raise _refused("`vaultlet` is no object with an object `env`", form)
        if others := sorted(map(str, field.keys() - {"env"})):
            raise _refused(f"`vaultlet` has an unknown field `{others[0]}`", form)
        for name, value in field["env"].items():
            if not _NAME.fullmatch(name):
                raise _refused(f"`{name}` is no name of a variable", form)
            if not isinstance(value, str) or not _LIKE_ONE.match(value):
                raise _refused(f"{name}: its value is no reference", f"{form}, and others in `env_vars`")


def _refuse_containers(runtime_env: Mapping[str, Any]) -> None:
    for field in ("image_uri", "container"):
        if runtime_env.get(field):
            what = f"vaultlet: reading the runtime_env: secrets are not passed into the container of `{field}`"
            todo = "call `vaultlet.get` in the worker, or run Ray's nodes in the image (ray-container)"
            raise ConfigurationError(f"{what}; {todo}")


def _refused(what: str, todo: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"vaultlet: reading the runtime_env: {what}; {todo} (ray-malformed)")
