"""The build backend of the package: maturin's, which builds the extension, and the program, which becomes part of the wheel.

`pip install ./host/python` builds both from the checkout. `VAULTLET_PROGRAM` names a program that is there already;
an empty one leaves it out. As a command it makes the wheels of a release (`python vaultlet_build.py --help`).

The hooks: https://peps.python.org/pep-0517/; the folder of a wheel whose files become programs:
https://packaging.python.org/en/latest/specifications/binary-distribution-format/#the-data-directory
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
WORKSPACE = PROJECT.parent.parent


# The hooks of a backend. An editable wheel has no program: it is for work on the package, beside a checkout's `cargo run`.


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    import maturin

    name = maturin.build_wheel(wheel_directory, config_settings, metadata_directory)
    program = _program()
    if program:
        built = Path(wheel_directory, name)
        with tempfile.TemporaryDirectory() as folder:
            packed = pack(built, Path(folder), program=program)
            shutil.move(packed, built)
    return name


def build_sdist(sdist_directory, config_settings=None):
    import maturin

    return maturin.build_sdist(sdist_directory, config_settings)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    import maturin

    return maturin.build_editable(wheel_directory, config_settings, metadata_directory)


def get_requires_for_build_wheel(config_settings=None):
    import maturin

    return maturin.get_requires_for_build_wheel(config_settings)


get_requires_for_build_editable = get_requires_for_build_wheel


def get_requires_for_build_sdist(config_settings=None):
    return []


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    import maturin

    return maturin.prepare_metadata_for_build_wheel(metadata_directory, config_settings)


prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel


def _program():
    named = os.environ.get("VAULTLET_PROGRAM")
    if named is not None:
        return Path(named) if named else None
    if not (WORKSPACE / "host/cli/Cargo.toml").exists():
        print("vaultlet: the program is not built, as its sources are not here", file=sys.stderr)
        return None
    # As the README builds it; what it shares with the extension is compiled once.
    target = Path(os.environ.get("CARGO_TARGET_DIR") or WORKSPACE / "target")
    cargo = [os.environ.get("CARGO", "cargo"), "build", "--release", "--locked"]
    subprocess.run([*cargo, "--target-dir", target], cwd=WORKSPACE, check=True, stdout=sys.stderr)
    return target / "release/vaultlet"


def pack(wheel, out, *, platform=None, extension=None, program=None, notices=None):
    """Packs a wheel again and returns the path of the new one.

    It is for another platform, with its extension and program, and with the notices of third parties, where these are given.
    Without an extension on another platform, it is a wheel of the program alone, for a Python that cannot load the extension.
    """
    with tempfile.TemporaryDirectory() as folder:
        _wheel("unpack", "--dest", folder, wheel)
        (tree,) = Path(folder).iterdir()
        (info,) = tree.glob("*.dist-info")
        if platform:
            if extension:
                shutil.copyfile(extension, tree / "vaultlet/_vaultlet.abi3.so")
                _tags(info, f"cp39-abi3-{platform}")
            else:
                _without_extension(tree, info)
                _tags(info, f"py3-none-{platform}")
        if program:
            scripts = tree / f"{info.stem}.data/scripts"
            scripts.mkdir(parents=True)
            shutil.copyfile(program, scripts / "vaultlet")
            (scripts / "vaultlet").chmod(0o755)
        if notices:
            shutil.copy(notices, info / "licenses")
        # It names folders of the machine that built this; a release has a bill of materials of its own.
        shutil.rmtree(info / "sboms", ignore_errors=True)
        packed = Path(folder, "packed")
        packed.mkdir()
        _wheel("pack", "--dest-dir", packed, tree)
        (made,) = packed.iterdir()
        out.mkdir(parents=True, exist_ok=True)
        return Path(shutil.move(made, out / made.name))


def _without_extension(tree, info):
    package = tree / "vaultlet"
    kept = (package / "__main__.py").read_bytes()
    shutil.rmtree(package)
    package.mkdir()
    (package / "__main__.py").write_bytes(kept)
    shutil.copy(HERE / "program_only.py", package / "__init__.py")
    metadata = info / "METADATA"
    text = metadata.read_text(encoding="utf-8")
    metadata.write_text(
        re.sub(r"(?m)^Requires-Python: .*$", "Requires-Python: >=3.6", text, count=1), "utf-8"
    )


def _tags(info, tags):
    python, abi, platforms = tags.split("-")
    lines = (info / "WHEEL").read_text().splitlines()
    lines = [line for line in lines if line and not line.startswith(("Tag:", "Build:"))]
    lines += [f"Tag: {python}-{abi}-{platform}" for platform in platforms.split(".")]
    (info / "WHEEL").write_text("\n".join(lines) + "\n")


def _wheel(*arguments):
    subprocess.run([sys.executable, "-m", "wheel", *arguments], check=True, stdout=subprocess.DEVNULL)


def main():
    parser = argparse.ArgumentParser(description="Makes a wheel of a release from a wheel that maturin built.")
    parser.add_argument("wheel", type=Path)
    parser.add_argument("out", type=Path, help="the folder of the new wheel")
    parser.add_argument("--platform", help="the tags of its platforms, with dots between them")
    parser.add_argument("--extension", type=Path, help="the extension for that platform; without it, the wheel has none")
    parser.add_argument("--program", type=Path)
    parser.add_argument("--notices", type=Path)
    named = vars(parser.parse_args())
    print(pack(named.pop("wheel"), named.pop("out"), **named))


if __name__ == "__main__":
    main()
