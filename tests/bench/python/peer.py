"""Benchmark in Python: Microsoft's SDK as its quickstart shows it, or vaultlet.

peer.py sdk|ours cold NAME | warm-same CALLS | warm-diff CALLS | conc CALLERS CALLS
"""

from resource import RUSAGE_SELF, getrusage
from time import perf_counter, process_time

START = perf_counter()

import sys

FIRST = "s0"
if sys.argv[1] == "ours":
    import vaultlet

    def get(name):
        return vaultlet.get(f"akv://bench-kv/{name}").reveal()
else:
    from azure.identity import DefaultAzureCredential
    from azure.keyvault.secrets import SecretClient

    client = SecretClient("https://bench-kv.vault.azure.net", DefaultAzureCredential())

    def get(name):
        return client.get_secret(name).value


def call(name):
    start = perf_counter()
    value = get(name)
    duration = perf_counter() - start
    if value != f"value-of-{name}-0123456789abcdef0123456789abcdef":
        raise SystemExit(f"`{name}` has a wrong value")
    return duration


def faults():
    return getrusage(RUSAGE_SELF).ru_minflt


def report(first, imported, durations, wall, cpu, faults):
    import json

    durations.sort()
    at = lambda percent: durations[min(len(durations) * percent // 100, len(durations) - 1)] * 1e6
    with open("/proc/self/status") as status:
        rss = next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
    print(json.dumps({
        "calls": len(durations), "first_us": first * 1e6, "import_us": imported * 1e6, "median_us": at(50),
        "p99_us": at(99), "wall_us": wall * 1e6, "cpu_us": cpu * 1e6, "faults": faults,
        "rss_kib": rss,
    }))


def warm(calls, different):
    first = call(FIRST)
    imported = perf_counter() - START
    names = [f"s{i}" if different else FIRST for i in range(1, calls + 1)]
    before, cpu, wall = faults(), process_time(), perf_counter()
    durations = [call(name) for name in names]
    report(first, imported, durations, perf_counter() - wall, process_time() - cpu, faults() - before)


def conc(callers, calls):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(callers) as threads:
        list(threads.map(call, (f"s{i}" for i in range(calls // 5))))
        before, cpu, wall = faults(), process_time(), perf_counter()
        durations = list(threads.map(call, (f"s{i}" for i in range(calls))))
        report(0, 0, durations, perf_counter() - wall, process_time() - cpu, faults() - before)


match sys.argv[2:]:
    case ["cold", name]:
        print(get(name))
    case ["warm-same", calls]:
        warm(int(calls), different=False)
    case ["warm-diff", calls]:
        warm(int(calls), different=True)
    case ["conc", callers, calls]:
        conc(int(callers), int(calls))
    case _:
        raise SystemExit(__doc__)
