"""Fixtures for tests in a local Azure. The environment has its variables, and `CONTROL`, the URL of its
control port, `HTTP`, the URL of its vault in plain HTTP, and `VALUE`, the value of every secret."""

import json
import os
import socket
import threading
import urllib.request

import pytest

VALUE = os.environ["VALUE"]
REFERENCE = "akv://my-key-vault/db-password"


class Control:
    """The local Azure's control port."""

    _open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    def counters(self):
        with self._open(os.environ["CONTROL"] + "/counters") as answer:
            return json.load(answer)

    def grant(self, who, role, name=None):
        grant = {"who": who, "role": role, **({"name": name} if name else {})}
        self._post("/grant", json.dumps(grant).encode())

    def reset(self):
        self._post("/reset", b"")

    def _post(self, path, body):
        self._open(os.environ["CONTROL"] + path, data=body).close()


@pytest.fixture
def control():
    """The control port. Roles are as at the start, before and after the test."""
    control = Control()
    control.reset()
    yield control
    for who in ("managed", "user"):
        control.grant(who, "secrets-officer")


@pytest.fixture(autouse=True)
def nothing_is_shown(capfd, caplog):
    """No test prints or logs a value or a token."""
    yield
    for text in (*capfd.readouterr(), caplog.text):
        assert not shows(text)


def shows(text):
    return VALUE in text or "eyJ" in text


class Silent:
    """A vault that accepts a request and never responds."""

    def __init__(self):
        self.asked = threading.Event()
        self.gone = threading.Event()
        self.when_asked = lambda: None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.reference = f"http://127.0.0.1:{self._listener.getsockname()[1]}/secrets/name"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._hear, args=(connection,), daemon=True).start()

    def _hear(self, connection):
        with connection:
            if connection.recv(4096):
                self.asked.set()
                self.when_asked()
            try:
                while connection.recv(4096):
                    pass
            except ConnectionError:
                pass
            self.gone.set()

    def close(self):
        self._listener.close()


@pytest.fixture
def silent():
    server = Silent()
    yield server
    server.close()
