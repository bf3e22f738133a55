"""What the plugins take for references, and what they refuse, without Ray's processes."""

import asyncio
import os

import vaultlet
from vaultlet.ray import EnvVarsPlugin, VaultletPlugin
from vaultlet.ray._agent import NodeAgent
from vaultlet.ray._check import check

REFERENCE = "akv://my-key-vault/db-password"


def refused(plugin, runtime_env):
    try:
        plugin.validate(runtime_env)
    except vaultlet.InvalidArgumentError as error:
        return str(error)
    raise AssertionError(f"{runtime_env} is taken")


variables, field = EnvVarsPlugin(), VaultletPlugin()
for value, is_one in [
    (REFERENCE, True),
    (" AKV://my-key-vault/a ", True),
    ("akv:malformed", True),
    ("@Microsoft.KeyVault(VaultName=my-key-vault;SecretName=a)", True),
    ("https://my-key-vault.vault.azure.net/secrets/a", True),
    ("https://example.com/", False),
    ("see akv://my-key-vault/a", False),
    ("", False),
]:
    found = variables.references({"env_vars": {"A": value}})
    assert found == ({"A": value} if is_one else {}), value
for runtime_env in [{}, {"env_vars": None}, {"env_vars": {"A": 1}}]:
    assert variables.references(runtime_env) == {}, runtime_env
for value, expected in [
    ("a", "`vaultlet` is no object with an object `env`"),
    ({"env": ["A"]}, "`vaultlet` is no object with an object `env`"),
    ({"env": {}, "ttl": 5}, "`vaultlet` has an unknown field `ttl`"),
    ({"env": {"A B": REFERENCE}}, "`A B` is no name of a variable"),
    ({"env": {"A": "plain"}}, "A: its value is no reference"),
    ({"env": {"A": 1}}, "A: its value is no reference"),
]:
    said = refused(VaultletPlugin, {"vaultlet": value})
    assert said.startswith(f"vaultlet: reading the runtime_env: {expected}; ") and said.endswith(" (argument-malformed)"), said
    assert "plain" not in said
VaultletPlugin.validate({"vaultlet": {"env": {"A": REFERENCE}}})
# They come after the plugins that choose the Python of a worker.
assert variables.priority == field.priority > 10

# An agent that the node has already is the one that is asked.
os.environ["VAULTLET_AGENT"] = "unix:/run/of-the-node.sock"
given = NodeAgent()
given.serve()
assert (given.variables(), given.redirection()) == ({"VAULTLET_AGENT": "unix:/run/of-the-node.sock"}, None)
del os.environ["VAULTLET_AGENT"]

# An agent that cannot start says why, and nobody waits for it. The next one is asked as if nothing had been.
agent = NodeAgent()
agent.serve()
os.environ["VAULTLET_TTL"] = "soon"
try:
    asyncio.run(check(agent, {"A": REFERENCE}))
except vaultlet.ConfigurationError as error:
    assert str(error).startswith("vaultlet") and "VAULTLET_TTL" in str(error), error
else:
    raise AssertionError("it starts without a time")
del os.environ["VAULTLET_TTL"]
asyncio.run(check(agent, {"A": REFERENCE}))
# A worker whose secret is denied has that line, and not an older one of the agent.
try:
    asyncio.run(check(agent, {"A": REFERENCE, "B": "akv://my-key-vault/denied"}))
except vaultlet.DeniedError as error:
    assert str(error).startswith("vaultlet: B: reading secret `denied`"), error
else:
    raise AssertionError("it is given")
print("done")
