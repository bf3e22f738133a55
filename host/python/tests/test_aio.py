"""Calls for asyncio: the event loop is not blocked, and a cancelled task cancels its call."""

import asyncio
import gc
import subprocess
import sys
import threading
import weakref

import pytest
import vaultlet
import vaultlet.aio
from conftest import REFERENCE, VALUE, shows


def test_every_call():
    async def main():
        assert (await vaultlet.aio.get(REFERENCE)).reveal() == VALUE
        found = await vaultlet.aio.get_many([REFERENCE, "akv://my-key-vault/other"])
        assert [secret.name for secret in found] == ["db-password", "other"]
        assert [one.name for one in await vaultlet.aio.list("my-key-vault")][0] == "db-password"
        assert len(await vaultlet.aio.versions(REFERENCE)) == 1
        token = await vaultlet.aio.token(scope="https://storage.azure.com/.default")
        assert token.reveal().startswith("eyJ") and not shows(repr(token))
        assert (await vaultlet.aio.whoami()).source == "azureml-obo"
        assert (await vaultlet.aio.plan(REFERENCE)).vault.port == 443

    asyncio.run(main())


def test_a_handle():
    async def main():
        async with vaultlet.aio.AsyncVaultlet(identity="managed-identity") as handle:
            assert repr(handle) == "AsyncVaultlet()"
            assert (await handle.whoami()).endpoint == "azure-ml"
            assert (await handle.get(REFERENCE, timeout=30)).reveal() == VALUE
        with pytest.raises(vaultlet.UsageError, match="closed"):
            await handle.get(REFERENCE)

    asyncio.run(main())


def test_errors():
    async def main():
        with pytest.raises(vaultlet.NotFoundError) as raised:
            await vaultlet.aio.get("akv://my-key-vault/missing")
        assert raised.value.id == "secret-not-found"
        with pytest.raises(vaultlet.InvalidArgumentError):
            await vaultlet.aio.get("missing")
        for wrong in (3, None, b"akv://my-key-vault/x"):
            with pytest.raises(TypeError):
                await vaultlet.aio.get(wrong)
        with pytest.raises(TypeError, match=r"there is get\(\)"):
            await vaultlet.aio.get_many(REFERENCE)
        with pytest.raises(TypeError, match="cancel the task"):
            await vaultlet.aio.get(REFERENCE, cancel=vaultlet.Cancel())
        with pytest.raises(TypeError, match="unexpected keyword argument 'tiemout'"):
            await vaultlet.aio.get(REFERENCE, tiemout=3)

    asyncio.run(main())


def test_the_event_loop_is_not_blocked(silent):
    async def main():
        asked, loop = asyncio.Event(), asyncio.get_running_loop()
        silent.when_asked = lambda: loop.call_soon_threadsafe(asked.set)
        async with vaultlet.aio.AsyncVaultlet(allow_http_loopback=True) as handle:
            waiting = asyncio.ensure_future(handle.get(silent.reference))
            await asked.wait()
            secrets = await asyncio.gather(*(vaultlet.aio.get(REFERENCE) for _ in range(200)))
            assert {secret.reveal() for secret in secrets} == {VALUE}
            assert not waiting.done()
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert silent.gone.wait(30)

    asyncio.run(main())


def test_a_timeout_of_asyncio_cancels_the_call(silent):
    async def main():
        async with vaultlet.aio.AsyncVaultlet(allow_http_loopback=True) as handle:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(handle.get(silent.reference), 0.05)
            assert silent.gone.wait(30)
            with pytest.raises(vaultlet.TimeoutError):
                await handle.get(silent.reference, timeout=0.05)

    asyncio.run(main())


def test_a_loop_may_close_before_the_response(silent):
    loop = asyncio.new_event_loop()
    handle = vaultlet.Vaultlet(allow_http_loopback=True)
    told = threading.Event()

    async def main():
        asked = asyncio.Event()
        silent.when_asked = lambda: loop.call_soon_threadsafe(asked.set)
        future = loop.create_future()

        def done(error, result):
            try:
                loop.call_soon_threadsafe(future.set_result, None)
            except RuntimeError:
                told.set()

        started = handle._start(done, "get", (silent.reference,), {})
        await asked.wait()
        return started

    started = loop.run_until_complete(main())
    loop.close()
    started.cancel()
    assert told.wait(30)
    handle.close()


def test_many_loops_at_once():
    names = []

    async def main():
        secrets = await asyncio.gather(*(vaultlet.aio.get(REFERENCE) for _ in range(50)))
        names.extend(secret.name for secret in secrets)

    threads = [threading.Thread(target=asyncio.run, args=(main(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names == ["db-password"] * 200


def test_nothing_keeps_a_secret_alive():
    gone = threading.Event()

    async def main():
        secret = await vaultlet.aio.get(REFERENCE)
        return weakref.ref(secret, lambda _: gone.set())

    secret = asyncio.run(main())
    gc.collect()
    # The thread that delivered it may be about to let go of it.
    assert gone.wait(30)
    assert secret() is None


PROGRAM = """
import asyncio, sys, vaultlet
async def main():
    calls = [asyncio.ensure_future(vaultlet.aio.get("akv://my-key-vault/db-password")) for _ in range(50)]
    print((await calls[0]).name)
    sys.exit(3)
asyncio.run(main())
"""


def test_a_program_may_end_during_calls():
    for _ in range(3):
        ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
        assert (ended.returncode, ended.stdout, ended.stderr) == (3, "db-password\n", "")


DAEMON = """
import sys, threading, vaultlet
handle = vaultlet.Vaultlet(allow_http_loopback=True)
threading.Thread(target=handle.get, args=(sys.argv[1],), daemon=True).start()
sys.stdin.read()
"""


def test_a_program_may_end_during_a_call_on_a_thread(silent):
    run = [sys.executable, "-c", DAEMON, silent.reference]
    program = subprocess.Popen(run, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert silent.asked.wait(30)
    _, told = program.communicate("")
    assert (program.returncode, told) == (0, "")
