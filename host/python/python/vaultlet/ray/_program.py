"""Where the program `vaultlet` is."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig

from .._errors import ConfigurationError


def program() -> str:
    """The program of this installation, else the one in `PATH`."""
    schemes = ((), (f"{os.name}_user",))
    folders = [os.path.dirname(sys.executable), *(sysconfig.get_path("scripts", *scheme) for scheme in schemes)]
    for path in (*folders, os.environ.get("PATH", os.defpath)):
        if found := shutil.which("vaultlet", path=path):
            return os.path.abspath(found)
    what = "vaultlet: preparing the node: the program `vaultlet` is neither beside Python nor in PATH"
    raise ConfigurationError(f"{what}; install it on each node, and start Ray again (command-not-found)")
