"""Secrets for the workers of Dask: the scheduler has the references, each worker gets the values itself.

    from vaultlet.dask import VaultletPlugin

    client.register_plugin(VaultletPlugin({"DB_PASSWORD": "akv://my-key-vault/db-password"}))
    client.submit(lambda: connect("db.internal", os.environ["DB_PASSWORD"]))

Each worker gets them when it starts, with its own identity: also those that join later, or are started again. Start the
workers of a node as `vaultlet agent -- dask worker …`, and the vault is asked once for all of them.
"""

from __future__ import annotations

import os

from . import aio
from ._errors import InvalidArgumentError
from ._references import may_be_one

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

try:
    from distributed.diagnostics.plugin import WorkerPlugin  # type: ignore[import-not-found, unused-ignore]
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(f"{error}; run `pip install 'vaultlet[dask]'`", name=error.name) from None

__all__ = ["VaultletPlugin"]


class VaultletPlugin(WorkerPlugin):  # type: ignore[misc, unused-ignore]
    """Sets variables of each worker process to the secrets that they refer to."""

    # One with other references takes the place of this one.
    name = "vaultlet"
    idempotent = False

    def __init__(self, references: Mapping[str, str]) -> None:
        self._references = dict(references)
        for name, value in self._references.items():
            if not may_be_one(value):
                what = f"reading the references of the workers: {name}: its value is no reference"
                raise InvalidArgumentError(f"{what}; write akv://VAULT/SECRET (reference-malformed)")

    async def setup(self, worker: Any) -> None:
        """Gets the secrets, all or none. When one fails the worker does not get the plugin, and `register_plugin` raises
        the error."""
        secrets = await aio.resolve_environment(self._references)
        for name, secret in secrets.items():
            os.environ[name] = secret.reveal()

    def teardown(self, worker: Any) -> None:
        """Removes the variables, when the worker ends or the plugin is unregistered."""
        for name in self._references:
            os.environ.pop(name, None)
