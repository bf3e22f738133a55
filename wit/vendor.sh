#!/bin/sh
# Vendors the WASI packages at 0.2.6 into wit/deps, from a crate that ships them (cargo checks its hash).
#   wit/vendor.sh          write wit/deps anew
#   wit/vendor.sh --check  fail when wit/deps is not what would be written
set -eu
crate=wasmtime-wasi-http
version=38.0.4   # the last release line whose WIT is 0.2.6
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/src" && : > "$work/src/lib.rs"
cat > "$work/Cargo.toml" <<EOF
[package]
name = "vendor"
version = "0.0.0"
edition = "2021"
[dependencies]
$crate = { version = "=$version", default-features = false }
EOF
manifest=$(cd "$work" && cargo metadata --format-version 1 --quiet |
  tr ',' '\n' | sed -n "s/.*\"manifest_path\":\"\(.*\/$crate-$version\/Cargo.toml\)\".*/\1/p" | head -n 1)
[ -n "$manifest" ] || { echo "vendor.sh: cannot find $crate $version" >&2; exit 1; }
mkdir "$work/deps"
for package in cli clocks filesystem http io random sockets; do
  cp -R "$(dirname "$manifest")/wit/deps/$package" "$work/deps/$package"
done
grep -rhq '^package wasi:http@0.2.6;' "$work/deps" || { echo "vendor.sh: not WASI 0.2.6" >&2; exit 1; }
if [ "${1:-}" = --check ]; then
  diff -r "$work/deps" "$here/deps"
else
  rm -rf "$here/deps" && cp -R "$work/deps" "$here/deps"
fi
