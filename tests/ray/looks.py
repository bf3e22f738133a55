"""What both tests of Ray look at: processes, files, and what Ray tells."""

import base64
import hashlib
import json
import os
import signal
import time
import urllib.request

os.environ.update(
    RAY_RUNTIME_ENV_PLUGINS='[{"class": "vaultlet.ray.EnvVarsPlugin"}, {"class": "vaultlet.ray.VaultletPlugin"}]',
    RAY_USAGE_STATS_ENABLED="0",
    # Without it Ray writes a token into the home folder.
    RAY_AUTH_MODE="disabled",
    RAY_TRAIN_ENABLE_STATE_TRACKING="0",
    RAY_DATA_DISABLE_PROGRESS_BARS="1",
)


def digest(value):
    """What may be shown of a value."""
    return hashlib.sha256(value.encode()).hexdigest()[:16]


def forms(values):
    """What is looked for: each value as it is, in base64 at any offset, and in hexadecimal."""
    for value in values:
        text = value.encode()
        yield text
        yield text.hex().encode()
        for skipped in range(3):
            yield base64.b64encode(text[skipped:])[: 4 * ((len(text) - skipped) // 3)]


def reveals(content, values):
    return any(form in content for form in forms(values))


def processes():
    """The command line and the environment of each process that is ours to see."""
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                with open(f"/proc/{name}/cmdline", "rb") as line, open(f"/proc/{name}/environ", "rb") as variables:
                    yield int(name), line.read(), variables.read()
            except OSError:
                pass


def agents(folder):
    """The processes of the agents that this cluster's nodes have started, by the log that they write to."""
    found = []
    for process, line, variables in processes():
        words = line.split(b"\0")
        is_one = words[0].endswith(b"/vaultlet") and words[1:2] == [b"agent"]
        if is_one and os.path.realpath(f"/proc/{process}/fd/2").startswith(folder):
            found.append(process)
    return found


def kill(victims):
    for process in victims:
        os.kill(process, signal.SIGKILL)


def until(is_so, what, seconds=60):
    late = time.monotonic() + seconds
    while not (result := is_so()):
        assert time.monotonic() < late, what
        time.sleep(0.05)
    return result


def files(folder):
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            if os.path.isfile(path) and not os.path.islink(path):
                try:
                    with open(path, "rb") as file:
                        yield path, file.read()
                except OSError:
                    pass


def finds_nothing_in(folder, values, given):
    """No file has a value, no command line, and no environment of a process without the marker."""
    searched = 0
    for path, content in files(folder):
        assert not reveals(content, values), f"a value is in {path}"
        searched += len(content)
    others = 0
    for process, line, variables in processes():
        assert not reveals(line, values), f"a value is in the command line of {process}"
        if given.encode() not in variables.split(b"\0"):
            assert not reveals(variables, values), f"a value is in the environment of {process}: {line[:200]}"
            others += 1
    assert searched > 10_000 and others > 5, (searched, others)
    return searched, others


def counters(control):
    with urllib.request.urlopen(f"{control}/counters") as response:
        return json.load(response)["vault"]
