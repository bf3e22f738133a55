"""`python -m vaultlet` is the program `vaultlet`, which is in the wheel. This file serves older Pythons than the module."""

import os
import sys
import sysconfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List


def _places() -> "List[str]":
    """The folders in which pip installs programs."""
    package = os.path.dirname(os.path.abspath(__file__))
    return [
        sysconfig.get_path("scripts"),
        # With `--user`.
        sysconfig.get_path("scripts", os.name + "_user"),
        # With `--target`: beside the package. With `--prefix`: beside lib/pythonX.Y/site-packages/vaultlet.
        os.path.join(os.path.dirname(package), "bin"),
        os.path.normpath(os.path.join(package, "../../../../bin")),
    ]


def _main() -> None:
    places = _places()
    for place in places:
        program = os.path.join(place, "vaultlet")
        if os.access(program, os.X_OK):
            os.execv(program, ["vaultlet"] + sys.argv[1:])
    sys.exit(
        "vaultlet: starting the program: `vaultlet` is in none of "
        + ", ".join(places)
        + "; install the package again with `pip install --force-reinstall vaultlet`, or run the program by its path"
    )


if __name__ == "__main__":
    _main()
