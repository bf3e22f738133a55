"""Whether a worker will get its secrets: found out before Ray starts one."""

from __future__ import annotations

import asyncio
import os

from .. import _errors
from ._program import program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._agent import NodeAgent

# Below the 10 s after which a user should know.
_TIMEOUT = 7
# What is said, and is no line of an error, is left out.
_MOST = 8_192
# By the exit codes of the command line.
_CLASSES = {
    64: _errors.UsageError,
    65: _errors.InvalidArgumentError,
    66: _errors.NotFoundError,
    69: _errors.UnavailableError,
    73: _errors.ConflictError,
    75: _errors.ThrottledError,
    77: _errors.DeniedError,
    78: _errors.ConfigurationError,
    79: _errors.NotConfiguredError,
}


async def check(agent: NodeAgent, references: Mapping[str, str]) -> None:
    """Does what a worker does, for a command that does nothing. No value comes into this process."""
    expanded = {name: os.path.expandvars(value) for name, value in references.items()}
    process = await asyncio.create_subprocess_exec(
        *(program(), "run", "--no-masking", f"--only={','.join(sorted(references))}"),
        *(f"--timeout={_TIMEOUT}", "--", "true"),
        env={**os.environ, **expanded, **agent.variables()},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, text = await process.communicate()
    finally:
        # When Ray gives up.
        if process.returncode is None:
            process.kill()
    if process.returncode:
        # An agent that cannot start closes the connection, and has said why.
        if failed := agent.failure():
            raise _errors.ConfigurationError(failed)
        raised = _CLASSES.get(process.returncode, _errors.InternalError)
        raise raised(text[:_MOST].decode(errors="replace").strip())
