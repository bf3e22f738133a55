//! The package with an agent and no identity: in plain code, in asyncio, in a child of `fork`, and for the variables of
//! the process. No component is loaded.

use vaultlet_tests::Run;
use vaultlet_tests::agent::{has_options, runs_by_agent};
use vaultlet_tests::job::VALUE;

use super::install;

const PROGRAM: &str = r#"
import asyncio, glob, os, time

import vaultlet
import vaultlet.aio

reference = "akv://my-key-vault/db-password"
since = time.perf_counter()
secret = vaultlet.Vaultlet().get(reference)
print(f"{(time.perf_counter() - since) * 1e3:.1f} ms")
lengths = [len(secret.reveal())]


async def read():
    async with vaultlet.aio.AsyncVaultlet() as client:
        one, many = await asyncio.gather(client.get(reference), client.get_many([reference] * 3))
        return [len(it.reveal()) for it in (one, *many)]


lengths += asyncio.run(read())
handle = vaultlet.Vaultlet()
handle.get(reference)
if (child := os.fork()) == 0:
    os._exit(len(handle.get(reference).reveal()))
lengths.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
os.environ["DB"] = reference
lengths.append(len(handle.resolve_environment()["DB"].reveal()))
names = [open(name).read().strip() for name in glob.glob("/proc/self/task/*/comm")]
print(lengths, "vaultlet-epoch" in names)
try:
    handle.get("akv://my-key-vault/none")
except vaultlet.NotFoundError as error:
    print(error.id)
"#;

#[test]
fn secrets_come_from_the_agent() {
    let Some(python) = install::python() else { return };
    let ended = runs_by_agent(Run::program(python).arguments(["-c", PROGRAM]), VALUE);
    let expected = format!("{:?} False\nsecret-not-found\n", [VALUE.len(); 7]);
    assert!(ended.stdout.ends_with(&expected), "{}", ended.stdout);
    ended.reveals_none_of(&[VALUE], true);
}

const OPTIONS: &str = r#"
import os

import vaultlet

names = ("agent", "agent_token_file", "agent_fallback", "policy")
given = {name: os.environ.get(f"OPTION_{name.upper()}") for name in names}
try:
    handle = vaultlet.Vaultlet(**given)
    assert handle.plan().agent == given["agent"], handle.plan()
    print(handle.get("akv://my-key-vault/db-password").reveal())
except vaultlet.VaultletError as error:
    print(error.id)
"#;

#[test]
fn agent_and_policy_are_options() {
    let Some(python) = install::python() else { return };
    has_options(|| Run::program(&python).arguments(["-c", OPTIONS]), VALUE);
}
