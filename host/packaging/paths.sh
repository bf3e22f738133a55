# What makes the bytes of a release independent of the folder it is built in, and of the time. Sourced, by host/package and
# by the gate's release steps, so that both build once; in the root of the checkout.
#
# rustc writes paths of sources into messages of panics: those of crates begin with the home of cargo. C compilers write
# them where `__FILE__` is used. The flags stand in variables that cargo adds to those of .cargo/config.toml; RUSTFLAGS
# would replace them. They are split at white space: a checkout in a folder whose name has some keeps its paths.

# The time of the commit. Archives get it for all files.
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 1767225600)
fi
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC

remap_paths() {
  local crates=${CARGO_HOME:-$HOME/.cargo}/registry/src here rust commit rustflags cflags triple
  here=$(pwd -P)
  export VAULTLET_RUSTFLAGS=
  case $here$crates in *[[:space:]]*) return ;; esac
  rust=$(rustc --print sysroot)/lib/rustlib/src/rust commit=$(rustc -vV | sed -n 's/^commit-hash: //p')
  rustflags="--remap-path-prefix=$crates=/crates --remap-path-prefix=$rust=/rustc/$commit --remap-path-prefix=$here=/vaultlet"
  cflags="-ffile-prefix-map=$crates=/crates -ffile-prefix-map=$here=/vaultlet"
  # For a build that replaces these variables.
  export VAULTLET_RUSTFLAGS=$rustflags
  for triple in {x86_64,aarch64}_unknown_linux_{gnu,musl}; do
    export "CARGO_TARGET_${triple^^}_RUSTFLAGS=$rustflags" "CFLAGS_$triple=$cflags"
  done
}
remap_paths
