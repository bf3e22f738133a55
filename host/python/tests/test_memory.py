"""Memory does not grow, however many calls are made, cancelled and closed. `VAULTLET_TEST_FULL=1` makes
the full number of calls; otherwise a part of them is made."""

import asyncio
import gc
import os
import threading
import time
import tracemalloc

import pytest
import vaultlet
import vaultlet.aio
from conftest import REFERENCE, VALUE

FULL = os.environ.get("VAULTLET_TEST_FULL") == "1"
THREADS = 16
CALLS = 1000 if FULL else 60
HANDLES = 10_000 if FULL else 200
MIB = 1 << 20


@pytest.fixture
def grows_by_no_more_than(capfd):
    """Measures the interpreter's memory with `tracemalloc`, and the process's as the system counts it."""

    def measure(limit, first, then):
        first()
        gc.collect()
        before = resident()
        tracemalloc.start()
        then()
        gc.collect()
        kept, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        grown = resident() - before
        if FULL:
            with capfd.disabled():
                name = os.environ["PYTEST_CURRENT_TEST"].split("::")[1].split()[0]
                told = f"{before >> 10} KiB, grown by {grown >> 10}; of Python {kept}, peak {peak} bytes"
                print(f"{name}: {told}", flush=True)
        assert kept < 2 * MIB
        assert grown < limit

    return measure


def test_calls_on_threads(silent, grows_by_no_more_than):
    handle = vaultlet.Vaultlet(allow_http_loopback=True)
    failed = []

    def calls(count):
        try:
            for number in range(count):
                one_of_each(number)
        except BaseException as error:
            failed.append(repr(error))

    def one_of_each(number):
        kind = number % 4
        if kind == 0:
            ends_by(vaultlet.TimeoutError, lambda: handle.get(silent.reference, timeout=0.002))
        elif kind == 1:
            cancel = vaultlet.Cancel()
            cancel.cancel()
            ends_by(vaultlet.CancelledError, lambda: handle.get(REFERENCE, cancel=cancel))
        elif kind == 2:
            ends_by(vaultlet.NotFoundError, lambda: handle.get("akv://my-key-vault/missing"))
        else:
            assert handle.get(REFERENCE).reveal() == VALUE

    def ends_by(kind, call):
        try:
            call()
        except kind:
            return
        raise AssertionError(kind)

    def round(count):
        threads = [threading.Thread(target=calls, args=(count,)) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    grows_by_no_more_than(16 * MIB, lambda: round(CALLS // 4), lambda: round(CALLS))
    assert failed == []
    handle.close()


def test_tasks_that_are_cancelled(grows_by_no_more_than):
    async def main(count):
        for _ in range(count):
            tasks = [asyncio.ensure_future(vaultlet.aio.get(REFERENCE)) for _ in range(20)]
            await asyncio.sleep(0)
            for task in tasks[::2]:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(one.reveal() == VALUE for one in ended[1::2])
            assert all(isinstance(one, asyncio.CancelledError) for one in ended[::2])

    rounds = CALLS // 4
    grows_by_no_more_than(
        16 * MIB, lambda: asyncio.run(main(rounds // 2)), lambda: asyncio.run(main(rounds))
    )


def test_handles_opened_and_closed(grows_by_no_more_than):
    def open_and_close(count):
        for number in range(count):
            with vaultlet.Vaultlet(concurrency=1) as handle:
                if number % 50 == 0:
                    assert handle.get(REFERENCE).reveal() == VALUE

    grows_by_no_more_than(
        16 * MIB, lambda: open_and_close(HANDLES // 10), lambda: open_and_close(HANDLES)
    )
    # The threads of each handle end, too, soon after it was closed.
    until = time.monotonic() + 60
    while threads_of_process() >= 40:
        assert time.monotonic() < until
        os.sched_yield()


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def threads_of_process():
    return len(os.listdir("/proc/self/task"))
