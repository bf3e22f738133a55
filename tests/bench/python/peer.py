"""Peer: azure-identity and azure-keyvault-secrets, as Microsoft's quickstart shows them.

peer.py cold NAME | warm-same CALLS | warm-diff CALLS | conc CALLERS CALLS
"""

import sys
from time import perf_counter, process_time

from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient

FIRST = "s0"
client = SecretClient("https://bench-kv.vault.azure.net", DefaultAzureCredential())


def call(name):
    start = perf_counter()
    value = client.get_secret(name).value
    duration = perf_counter() - start
    if value != f"value-of-{name}-0123456789abcdef0123456789abcdef":
        raise SystemExit(f"`{name}` came back with another value")
    return duration


def report(first, durations, wall, cpu):
    import json

    durations.sort()
    at = lambda percent: durations[min(len(durations) * percent // 100, len(durations) - 1)] * 1e6
    with open("/proc/self/status") as status:
        rss = next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
    print(json.dumps({
        "calls": len(durations), "first_us": first * 1e6, "median_us": at(50), "p99_us": at(99),
        "wall_us": wall * 1e6, "cpu_us": cpu * 1e6, "rss_kib": rss,
    }))


def warm(calls, different):
    first = call(FIRST)
    names = [f"s{i}" if different else FIRST for i in range(1, calls + 1)]
    cpu, wall = process_time(), perf_counter()
    durations = [call(name) for name in names]
    report(first, durations, perf_counter() - wall, process_time() - cpu)


def conc(callers, calls):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(callers) as threads:
        list(threads.map(call, (f"s{i}" for i in range(calls // 5))))
        cpu, wall = process_time(), perf_counter()
        durations = list(threads.map(call, (f"s{i}" for i in range(calls))))
        report(0, durations, perf_counter() - wall, process_time() - cpu)


match sys.argv[1:]:
    case ["cold", name]:
        print(client.get_secret(name).value)
    case ["warm-same", calls]:
        warm(int(calls), different=False)
    case ["warm-diff", calls]:
        warm(int(calls), different=True)
    case ["conc", callers, calls]:
        conc(int(callers), int(calls))
    case _:
        raise SystemExit(__doc__)
