"""A handle in child processes and in pools of threads."""

import asyncio
import concurrent.futures
import multiprocessing
import os
import pickle
import signal
import threading

import pytest
import vaultlet
import vaultlet.aio
from conftest import REFERENCE, VALUE

# Newer interpreters warn of every fork of a process with threads. Here it must work.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def works(_=None):
    """The work of a worker. It reports only whether the value is right."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        secrets = list(pool.map(vaultlet.get, [REFERENCE] * 8))
    return [secret.reveal() == VALUE for secret in secrets]


def fails(_):
    vaultlet.get("akv://my-key-vault/missing")


def returns_it(_):
    return vaultlet.get(REFERENCE)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers(method):
    assert works() == [True] * 8
    with multiprocessing.get_context(method).Pool(4) as pool:
        assert pool.map(works, range(8), chunksize=1) == [[True] * 8] * 8
        with pytest.raises(vaultlet.NotFoundError) as raised:
            pool.map(fails, range(2))
        assert raised.value.id == "secret-not-found" and raised.value.status == 404
        # The pool says that the result cannot be sent, and why.
        with pytest.raises(multiprocessing.pool.MaybeEncodingError, match="neither copied"):
            pool.map(returns_it, range(2))


def test_fork_in_the_middle_of_a_call(silent):
    handle = vaultlet.Vaultlet(allow_http_loopback=True)
    cancel, ended = vaultlet.Cancel(), []

    def call():
        try:
            handle.get(silent.reference, cancel=cancel)
        except vaultlet.CancelledError as error:
            ended.append(error.id)

    thread = threading.Thread(target=call)
    thread.start()
    assert silent.asked.wait(30)
    assert in_child(lambda: handle.get(REFERENCE).reveal() == VALUE) == 0
    assert handle.get(REFERENCE).reveal() == VALUE
    cancel.cancel()
    thread.join()
    assert ended == ["cancelled"]
    handle.close()


def test_forks_while_threads_call():
    stop, failed = threading.Event(), []

    def call():
        while not stop.is_set():
            try:
                assert vaultlet.get(REFERENCE).reveal() == VALUE
            except BaseException as error:
                failed.append(type(error).__name__)
                return

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    codes = [in_child(lambda: all(works())) for _ in range(10)]
    stop.set()
    for thread in threads:
        thread.join()
    assert (codes, failed) == ([0] * 10, [])


def test_fork_after_asyncio():
    async def get():
        return (await vaultlet.aio.get(REFERENCE)).reveal() == VALUE

    def grandchild():
        return asyncio.run(get()) and in_child(lambda: asyncio.run(get())) == 0

    assert asyncio.run(get())
    assert in_child(grandchild) == 0
    assert asyncio.run(get())


def test_a_secret_stays_when_a_child_ends():
    secret = vaultlet.get(REFERENCE)
    assert in_child(lambda: secret.reveal() == VALUE) == 0
    assert secret.reveal() == VALUE


def test_closed_in_a_child():
    handle = vaultlet.Vaultlet()
    handle.get(REFERENCE)

    def close():
        handle.close()
        return True

    assert in_child(close) == 0
    assert handle.get(REFERENCE).reveal() == VALUE
    handle.close()


def test_a_handle_is_not_pickled():
    with vaultlet.Vaultlet() as handle, pytest.raises(TypeError, match="pickle"):
        pickle.dumps(handle)


def in_child(work):
    """The exit code of a child that runs the function: 0 if it returns true."""
    child = os.fork()
    if child == 0:
        signal.alarm(120)
        code = 1
        try:
            code = 0 if work() else 2
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
