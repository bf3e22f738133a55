"""Azure Key Vault secrets for a training job: the program `vaultlet`, without the module.

This wheel is for a Python that cannot load the module's extension.
"""

import sys


def __getattr__(name):
    # What looks around in a module asks for such names.
    if name.startswith("__"):
        raise AttributeError(name)
    raise ImportError(
        "vaultlet: the module needs CPython 3.9 or later, with its lock, and this is "
        + "%s %d.%d" % (sys.implementation.name, *sys.version_info[:2])
        + "; start the program with `vaultlet run -- python ...`, which is in PATH, or use a newer Python"
    )
