"""A call that blocks hears signals, and is cancelled where one ends it."""

import os
import signal

import pytest
import vaultlet


def test_ctrl_c_ends_a_call(silent):
    silent.when_asked = lambda: os.kill(os.getpid(), signal.SIGINT)
    with vaultlet.Vaultlet(allow_http_loopback=True) as handle:
        with pytest.raises(KeyboardInterrupt):
            handle.get(silent.reference)
        assert silent.gone.wait(30)


def test_a_handler_that_does_not_raise(silent):
    cancel = vaultlet.Cancel()
    before = signal.signal(signal.SIGUSR1, lambda *_: cancel.cancel())
    try:
        silent.when_asked = lambda: os.kill(os.getpid(), signal.SIGUSR1)
        with vaultlet.Vaultlet(allow_http_loopback=True) as handle:
            with pytest.raises(vaultlet.CancelledError):
                handle.get(silent.reference, cancel=cancel)
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_handler_may_ask_for_a_secret(silent):
    found, cancel = [], vaultlet.Cancel()

    def handler(*_):
        found.append(vaultlet.get("akv://my-key-vault/db-password").name)
        cancel.cancel()

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        silent.when_asked = lambda: os.kill(os.getpid(), signal.SIGUSR1)
        with vaultlet.Vaultlet(allow_http_loopback=True) as handle:
            with pytest.raises(vaultlet.CancelledError):
                handle.get_many([silent.reference], cancel=cancel)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert found == ["db-password"]
