"""The agent of one node. The socket is there from the first runtime environment with a reference on; the agent runs when
somebody asks, and ends some time after the last worker."""

from __future__ import annotations

import atexit
import logging
import os
import select
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

from .._errors import ConfigurationError
from ._program import program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

# Takes the socket as from a service manager, <https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html>.
_PASS_ON = """
import os, sys
descriptor = int(sys.argv[1])
if descriptor != 3:
    os.dup2(descriptor, 3)
    os.close(descriptor)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[2], sys.argv[2:])
"""
# The variables by which a program finds an agent.
_AGENT = ("VAULTLET_AGENT", "VAULTLET_AGENT_TOKEN_FILE")
# Settings of the node that are not for this agent, which listens at one place.
_REMOVED = (*_AGENT, "LISTEN_FDNAMES", "NOTIFY_SOCKET", "VAULTLET_HTTP", "VAULTLET_SOCKET", "VAULTLET_TOKEN_FILE")
# The longest path of a socket that Linux and macOS take.
_LONGEST = 103
# The time for which the agent outlives the last worker: workers come and go.
_LINGER = 30.0
# How often it is looked whether there is a worker again.
_LOOK = 0.5
# Programs that wait until the agent is there.
_WAITING = 4_096
# The most that is read of what an agent said.
_MOST = 8_192
# A descriptor that nobody uses otherwise.
_USED = 198

_logger = logging.getLogger(__name__)


class NodeAgent:
    """`vaultlet agent` as a child of this process. Does nothing where the node has an agent already, by
    `VAULTLET_AGENT`."""

    def __init__(self) -> None:
        self._service: _Service | None = None

    def serve(self) -> None:
        """Opens the socket, if this was not done before."""
        if self._service is None and "VAULTLET_AGENT" not in os.environ:
            self._service = _Service()

    def variables(self) -> dict[str, str]:
        """The variables by which a program finds the agent."""
        if self._service is None:
            return {name: os.environ[name] for name in _AGENT if name in os.environ}
        return {"VAULTLET_AGENT": f"unix:{self._service.socket}"}

    def redirection(self) -> str | None:
        """What in a command of bash says that its program uses the agent, until it ends."""
        return None if self._service is None else f"{_USED}<>{shlex.quote(self._service.users)}"

    def failure(self) -> str | None:
        """Why the agent could not start when somebody asked it last, in its own words."""
        return None if self._service is None else self._service.failure


class _Service:
    """The socket and the agent behind it."""

    def __init__(self) -> None:
        if not hasattr(os, "mkfifo"):
            what = "vaultlet: starting the agent of the node: there is none for this system"
            raise ConfigurationError(f"{what}; start Ray with VAULTLET_AGENT=http://127.0.0.1:PORT of one (agent-unreachable)")
        folder = _folder()
        self.socket = os.path.join(folder, "agent.sock")
        # A FIFO: whoever has it open is a worker.
        self.users = os.path.join(folder, "users")
        self.failure: str | None = None
        os.mkfifo(self.users, 0o600)
        self._users = os.open(self.users, os.O_RDONLY | os.O_NONBLOCK)
        # That there is nobody is reported once there was somebody.
        os.close(os.open(self.users, os.O_WRONLY))
        self._log = os.path.join(_argument("--log-dir") or folder, f"vaultlet_agent-{os.getpid()}.log")
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(self.socket)
        os.chmod(self.socket, 0o600)
        self._listener.listen(_WAITING)
        self._asked = select.poll()
        self._asked.register(self._listener, select.POLLIN)
        threading.Thread(target=self._run, name="vaultlet-agent", daemon=True).start()

    def _run(self) -> None:
        while True:
            # Somebody asks.
            self._asked.poll()
            try:
                self._serve()
            except Exception as error:
                self._refuse(f"vaultlet: starting the agent of the node: {error} (agent-unreachable)")

    def _serve(self) -> None:
        """Runs an agent to its end."""
        self.failure = None
        environment = {name: value for name, value in os.environ.items() if name not in _REMOVED}
        command = [sys.executable, "-I", "-S", "-c", _PASS_ON, str(self._listener.fileno())]
        with open(self._log, "ab") as log:
            told_before = log.tell()
            process = subprocess.Popen(
                # It ends with its command, and that at the end of its stdin: also when this process is killed.
                [*command, program(), "agent", "--", "cat"],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                pass_fds=(self._listener.fileno(),),
                # A Ctrl-C in the terminal of `ray.init` is not for it.
                start_new_session=True,
            )
        assert process.stdin is not None and process.stdout is not None
        with process.stdin, process.stdout:
            self._wait(process.stdout)
        code = process.wait()
        if code > 0:
            self._refuse(self._told(told_before) or f"vaultlet: starting the agent of the node: it ended with {code} (agent-unreachable)")
        elif code < 0:
            _logger.warning("vaultlet: signal %d has ended the agent of the node; the next worker starts it again", -code)

    def _wait(self, output: IO[bytes]) -> None:
        """Returns when the agent has ended, or there was no worker for a while."""
        end, users = select.poll(), select.poll()
        end.register(output, select.POLLIN)
        users.register(self._users, 0)
        last_used = time.monotonic()
        while not end.poll(_LOOK * 1_000):
            if not users.poll(0):
                last_used = time.monotonic()
            elif time.monotonic() - last_used > _LINGER:
                return

    def _told(self, told_before: int) -> str:
        """The lines of an agent that has failed."""
        with open(self._log, errors="replace") as log:
            log.seek(told_before)
            return "\n".join(line for line in log.read(_MOST).splitlines() if line.startswith("vaultlet"))

    def _refuse(self, failure: str) -> None:
        """Nobody waits for an agent that cannot start."""
        self.failure = failure
        while self._asked.poll(0):
            self._listener.accept()[0].close()


def _folder() -> str:
    """A folder that only this user can enter, and that is gone with this process."""
    session = _argument("--session-dir") or os.path.dirname(_argument("--runtime-env-dir") or "")
    is_short = len(session) + len("/vaultlet-12345678/agent.sock") <= _LONGEST
    # Not where Ray looks for something of its own.
    folder = tempfile.mkdtemp(prefix="vaultlet-", dir=session if is_short and os.path.isdir(session) else None)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _argument(name: str) -> str | None:
    """What Ray's command line has for this process."""
    for word, following in zip(sys.argv, [*sys.argv[1:], ""]):
        if word.startswith(f"{name}="):
            return word[len(name) + 1 :]
        if word == name:
            return following
    return None
