#!/bin/sh
# Vendors WASI's packages from crates that ship them (cargo checks their hashes): those at 0.2.6 into
# wit/deps, those at 0.3.0 into wit/p3/deps, wasi:config into guest/adapters/wit/config.
#   wit/vendor.sh          write them anew
#   wit/vendor.sh --check  fail when they are not what would be written
set -eu
case ${1:-} in
  -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p;}' "$0"; exit 0 ;;
  '' | --check) ;;
  *) echo "wit/vendor.sh: \`$1\` is not known; see --help" >&2; exit 64 ;;
esac
http=wasmtime-wasi-http
http_version=38.0.4   # the last release line whose WIT is 0.2.6
http_p3_version=48.0.8 # the release that the tests run on, whose WIT is 0.3.0
config=wasmtime-wasi-config
config_version=48.0.8 # the release that the tests run on
here=$(cd "$(dirname "$0")" && pwd)
adapters=$here/../guest/adapters/wit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/src" && : > "$work/src/lib.rs"
cat > "$work/Cargo.toml" <<EOF
[package]
name = "vendor"
version = "0.0.0"
edition = "2021"
[dependencies]
$http = { version = "=$http_version", default-features = false }
http-p3 = { package = "$http", version = "=$http_p3_version", default-features = false }
$config = { version = "=$config_version", default-features = false }
EOF
(cd "$work" && cargo metadata --format-version 1 --quiet) | tr ',' '\n' > "$work/metadata"

# Where cargo has a crate.
folder() { # NAME VERSION
  manifest=$(sed -n "s/.*\"manifest_path\":\"\(.*\/$1-$2\/Cargo.toml\)\".*/\1/p" "$work/metadata" |
    head -n 1)
  [ -n "$manifest" ] || { echo "vendor.sh: cannot find $1 $2" >&2; exit 1; }
  dirname "$manifest"
}

from=$(folder $http $http_version)
mkdir "$work/deps"
for package in cli clocks filesystem http io random sockets; do
  cp -R "$from/wit/deps/$package" "$work/deps/$package"
done
from=$(folder $http $http_p3_version)
mkdir "$work/p3"
for package in cli clocks filesystem http random sockets; do
  cp "$from/src/p3/wit/deps/$package.wit" "$work/p3/"
done
from=$(folder $config $config_version)
cp -R "$from/wit/deps/config" "$work/config"
grep -rhq '^package wasi:http@0.2.6;' "$work/deps" || { echo "vendor.sh: not WASI 0.2.6" >&2; exit 1; }
grep -rhq '^package wasi:http@0.3.0;' "$work/p3" || { echo "vendor.sh: not WASI 0.3.0" >&2; exit 1; }
grep -rhq '^package wasi:config@0.2.0-rc.1;' "$work/config" ||
  { echo "vendor.sh: not wasi:config 0.2.0-rc.1" >&2; exit 1; }
if [ "${1:-}" = --check ]; then
  diff -r "$work/deps" "$here/deps"
  diff -r "$work/p3" "$here/p3/deps"
  diff -r "$work/config" "$adapters/config"
else
  rm -rf "$here/deps" "$here/p3/deps" "$adapters/config"
  cp -R "$work/deps" "$here/deps"
  cp -R "$work/p3" "$here/p3/deps"
  cp -R "$work/config" "$adapters/config"
fi
