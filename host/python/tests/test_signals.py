"""A blocking call handles signals, and is cancelled if a handler raises."""

import contextlib
import os
import signal

import pytest
import vaultlet
from conftest import REFERENCE


@contextlib.contextmanager
def handled(number, handler, server):
    """Sets a handler for a signal, which the server raises when it gets a request.

    The handler is set even for Ctrl-C, as the process may have been started with SIGINT ignored.
    """
    before = signal.signal(number, handler)
    server.when_asked = lambda: os.kill(os.getpid(), number)
    try:
        with vaultlet.Vaultlet(allow_http_loopback=True) as handle:
            yield handle
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("others", [[], [REFERENCE]])
def test_ctrl_c_interrupts_a_call(silent, others):
    with handled(signal.SIGINT, signal.default_int_handler, silent) as handle:
        with pytest.raises(KeyboardInterrupt):
            handle.get_many([silent.reference, *others])
        assert silent.gone.wait(30)


def test_a_handler_that_does_not_raise(silent):
    cancel = vaultlet.Cancel()
    with handled(signal.SIGUSR1, lambda *_: cancel.cancel(), silent) as handle:
        with pytest.raises(vaultlet.CancelledError):
            handle.get(silent.reference, cancel=cancel)


def test_a_handler_may_get_a_secret(silent):
    found, cancel = [], vaultlet.Cancel()

    def handler(*_):
        found.append(vaultlet.get(REFERENCE).name)
        cancel.cancel()

    with handled(signal.SIGUSR1, handler, silent) as handle:
        with pytest.raises(vaultlet.CancelledError):
            handle.get_many([silent.reference], cancel=cancel)
    assert found == ["db-password"]
