"""The agent of one node: it runs while a runtime environment with references is in use there."""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

from ._program import program

# Takes the socket as a service manager passes it on, <https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html>:
# it is there before the agent, and stays while one that was killed is started again.
_PASS_ON = """
import os, sys
descriptor = int(sys.argv[1])
if descriptor != 3:
    os.dup2(descriptor, 3)
    os.close(descriptor)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[2], sys.argv[2:])
"""
# Settings of the node that are not for this agent, which listens at one place.
_REMOVED = (
    "LISTEN_FDNAMES",
    "NOTIFY_SOCKET",
    "VAULTLET_AGENT",
    "VAULTLET_AGENT_TOKEN_FILE",
    "VAULTLET_HTTP",
    "VAULTLET_SOCKET",
    "VAULTLET_TOKEN_FILE",
)
# The variables by which a program finds an agent.
_AGENT = ("VAULTLET_AGENT", "VAULTLET_AGENT_TOKEN_FILE")
# The longest path of a socket that Linux and macOS take, and the name in the folder.
_LONGEST = 103
_NAME = "agent.sock"
# The pause before an agent that ended soon after its start is started again, doubled each time.
_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_SOON = 10.0
# The time in which an agent finds that it cannot start.
_NEW = 1.0
# Programs that wait until the agent is there.
_WAITING = 4_096
# The most that is read of what an agent said.
_MOST = 8_192

_logger = logging.getLogger(__name__)


class NodeAgent:
    """`vaultlet agent` as a child of this process. Does nothing where the node has an agent already, by
    `VAULTLET_AGENT`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users: set[str] = set()
        self._folder: str | None = None
        self._run: _Run | None = None

    def variables(self) -> dict[str, str]:
        """The variables by which a program finds the agent."""
        given = {name: os.environ[name] for name in _AGENT if name in os.environ}
        if "VAULTLET_AGENT" in given:
            return given
        return {"VAULTLET_AGENT": f"unix:{self._socket()}"}

    def hold(self, user: str) -> None:
        """Starts the agent, if this is its first user."""
        with self._lock:
            self._users.add(user)
            if self._run is None and "VAULTLET_AGENT" not in os.environ:
                self._run = _Run(self._socket())

    def release(self, user: str) -> None:
        """Ends the agent, if this was its last user."""
        with self._lock:
            self._users.discard(user)
            if self._users or self._run is None:
                return
            run, self._run = self._run, None
        run.end()

    def failure(self) -> str | None:
        """Why the agent does not run, in its own words."""
        run = self._run
        return None if run is None else run.failure()

    def _socket(self) -> str:
        """The place where it listens, always the same on a node: Ray keeps what it was told."""
        if self._folder is None:
            folder = _argument("--session-dir") or os.path.dirname(_argument("--runtime-env-dir") or "")
            if not os.path.isdir(folder) or len(folder) + len("/vaultlet-12345678/") + len(_NAME) > _LONGEST:
                folder = tempfile.gettempdir()
            self._folder = tempfile.mkdtemp(prefix="vaultlet-", dir=folder)
            atexit.register(shutil.rmtree, self._folder, ignore_errors=True)
        return os.path.join(self._folder, _NAME)


class _Run:
    """From the first user to the last one. An agent that ends meanwhile is started again."""

    def __init__(self, path: str) -> None:
        self._ended = threading.Event()
        # Nothing is started once the ends of the pipe are closed.
        self._lock = threading.Lock()
        self._log = os.path.join(_argument("--log-dir") or os.path.dirname(path), f"vaultlet_agent-{os.getpid()}.log")
        self._failure: str | None = None
        self._listener = _listener(path)
        # The agent ends with its command, and that at the end of this pipe: also when this process is killed.
        self._read_end, self._write_end = os.pipe()
        try:
            self._process = self._start()
            threading.Thread(target=self._watch, name="vaultlet-agent", daemon=True).start()
        except BaseException:
            self._close()
            raise

    def failure(self) -> str | None:
        """Why the agent could not start when it was last tried."""
        is_new = time.monotonic() - self._started < _NEW
        return self._failure if is_new or self._process.poll() is not None else None

    def end(self) -> None:
        with self._lock:
            self._ended.set()
            self._close()

    def _start(self) -> subprocess.Popen[bytes]:
        self._started = time.monotonic()
        environment = {name: value for name, value in os.environ.items() if name not in _REMOVED}
        command = [sys.executable, "-I", "-S", "-c", _PASS_ON, str(self._listener.fileno())]
        with open(self._log, "ab") as log:
            self._told_before = log.tell()
            return subprocess.Popen(
                [*command, program(), "agent", "--", "cat"],
                env=environment,
                stdin=self._read_end,
                stdout=subprocess.DEVNULL,
                stderr=log,
                pass_fds=(self._listener.fileno(),),
                # A Ctrl-C in the terminal of `ray.init` is not for it.
                start_new_session=True,
            )

    def _watch(self) -> None:
        pause = _PAUSE
        while True:
            code = self._process.wait()
            if not self._ended.is_set():
                self._failure = self._told(code) if code > 0 else None
            if time.monotonic() - self._started > _SOON:
                pause = _PAUSE
            if self._ended.wait(pause):
                return
            pause = min(2 * pause, _LONGEST_PAUSE)
            _logger.warning("vaultlet: the agent of the node has ended with %s; it is started again", code)
            with self._lock:
                if self._ended.is_set():
                    return
                try:
                    self._process = self._start()
                except OSError as error:
                    _logger.warning("vaultlet: starting the agent of the node: %s", error)

    def _told(self, code: int) -> str:
        """The lines of an agent that has failed."""
        try:
            with open(self._log, errors="replace") as log:
                log.seek(self._told_before)
                lines = [line for line in log.read(_MOST).splitlines() if line.startswith("vaultlet")]
        except OSError:
            lines = []
        return "\n".join(lines) or f"vaultlet: starting the agent of the node: it ended with {code}; see {self._log}"

    def _close(self) -> None:
        os.close(self._write_end)
        os.close(self._read_end)
        self._listener.close()


def _listener(path: str) -> socket.socket:
    """A socket in a folder that only this user can enter. One that an earlier run has left is of no use."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if os.path.lexists(path):
            os.unlink(path)
        listener.bind(path)
        os.chmod(path, 0o600)
        listener.listen(_WAITING)
    except BaseException:
        listener.close()
        raise
    return listener


def _argument(name: str) -> str | None:
    """What Ray's command line has for this process."""
    for word, following in zip(sys.argv, [*sys.argv[1:], ""]):
        if word.startswith(f"{name}="):
            return word[len(name) + 1 :]
        if word == name:
            return following
    return None
