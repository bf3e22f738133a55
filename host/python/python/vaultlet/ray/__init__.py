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

import re
import shlex
import time

from .._errors import ConfigurationError, InvalidArgumentError
from .._references import may_be_one
from ._agent import NodeAgent
from ._check import check
from ._program import program

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping
    from typing import Any

try:
    from ray._private.runtime_env.plugin import RuntimeEnvPlugin  # type: ignore[import-not-found, unused-ignore]
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(f"{error}; run `pip install 'vaultlet[ray]'`", name=error.name) from None

__all__ = ["EnvVarsPlugin", "VaultletPlugin"]

# What a shell and `--only` take as the name of a variable.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Ray tries three times, a second apart, to create an environment. For this time it gets the same failure.
_KEPT = 5.0

# Both plugins of a node use it.
_agent = NodeAgent()


class _Plugin(RuntimeEnvPlugin):  # type: ignore[misc, unused-ignore]
    """What both plugins do."""

    # After those that choose the Python of the worker, which have 10.
    priority = 90

    def __init__(self) -> None:
        self._failure: tuple[float, dict[str, str], Exception] | None = None

    @classmethod
    def references(cls, runtime_env: Mapping[str, Any]) -> dict[str, str]:
        """The variables whose values are to be resolved."""
        raise NotImplementedError

    async def create(
        self, uri: str | None, runtime_env: Mapping[str, Any], context: Any, logger: logging.Logger
    ) -> int:
        references = self.references(runtime_env)
        if not references:
            return 0
        if self._failure is not None:
            found_at, failed, error = self._failure
            if failed == references and time.monotonic() - found_at < _KEPT:
                raise error.with_traceback(None)
        try:
            _refuse_containers(runtime_env)
            _agent.serve()
            await check(_agent, references)
        except Exception as error:
            self._failure = (time.monotonic(), references, error)
            raise
        return 0

    def modify_context(
        self, uris: list[str], runtime_env: Mapping[str, Any], context: Any, logger: logging.Logger
    ) -> None:
        references = self.references(runtime_env)
        if not references:
            return
        context.env_vars = {**context.env_vars, **references, **_agent.variables()}
        # `vaultlet` is replaced by Python, whose process id Ray knows then.
        words = [program(), "run", "--no-masking", f"--only={','.join(sorted(references))}", "--"]
        # bash runs the line.
        parts = [_agent.redirection(), shlex.join(words), context.py_executable]
        context.py_executable = " ".join(part for part in parts if part)


class EnvVarsPlugin(_Plugin):
    """Resolves the references among the `env_vars` of a runtime environment."""

    name = "env_vars"

    @classmethod
    def references(cls, runtime_env: Mapping[str, Any]) -> dict[str, str]:
        variables = runtime_env.get(cls.name)
        if not isinstance(variables, dict):
            return {}
        return {name: value for name, value in variables.items() if may_be_one(value)}


class VaultletPlugin(_Plugin):
    """Resolves the references in the field `vaultlet` of a runtime environment."""

    name = "vaultlet"

    @classmethod
    def references(cls, runtime_env: Mapping[str, Any]) -> dict[str, str]:
        field = runtime_env.get(cls.name)
        variables = field.get("env") if isinstance(field, dict) else None
        if not isinstance(variables, dict):
            return {}
        return {name: value for name, value in variables.items() if isinstance(value, str)}

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
            if not may_be_one(value):
                raise _refused(f"{name}: its value is no reference", f"{form}, and others in `env_vars`")


def _refuse_containers(runtime_env: Mapping[str, Any]) -> None:
    for field in ("image_uri", "container"):
        if runtime_env.get(field):
            what = f"vaultlet: reading the runtime_env: secrets are not passed into the container of `{field}`"
            todo = "call `vaultlet.get` in the worker, or run Ray's nodes in the image (settings-conflict)"
            raise ConfigurationError(f"{what}; {todo}")


def _refused(what: str, todo: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"vaultlet: reading the runtime_env: {what}; {todo} (argument-malformed)")
