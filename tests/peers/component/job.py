"""A secret by the component in wasmtime-py: `job.py COMPONENT REFERENCE`."""

import os
import sys

from wasmtime import Engine, Store, WasiConfig
from wasmtime.component import Component, Linker, Record

engine = Engine()
linker = Linker(engine)
linker.add_wasip2()
linker.add_wasi_http()
store = Store(engine)
wasi = WasiConfig()
wasi.env = [(k, v) for k, v in os.environ.items() if k.startswith(("MSI_", "VAULTLET_"))]
store.set_wasi(wasi)
store.set_wasi_http()
vaultlet = linker.instantiate(store, Component.from_file(engine, sys.argv[1]))


def function(interface, name):
    interface = vaultlet.get_export_index(store, f"vaultlet:keyvault/{interface}@0.1.0")
    return vaultlet.get_func(store, vaultlet.get_export_index(store, name, interface))


get, reveal = function("secrets", "get"), function("secrets", "[method]secret.reveal")
secret = get(store, sys.argv[2], None)
if isinstance(secret, Record):  # it is the error
    sys.exit(f"{secret.message} [{secret.code}]; {secret.help} ({secret.id})")
print(reveal(store, secret))
secret.drop(store)
