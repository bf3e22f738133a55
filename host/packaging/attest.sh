# What lets others check the packages: the statement of how they were made, checksums of all, and a signature of these. Sourced by
# host/package, whose variables and functions are used.

attested() {
  local builder=${VAULTLET_BUILDER:-urn:vaultlet:local}
  # All packages are its subjects.
  provenance --statement "$out" "$out/provenance.intoto.json" "$(homepage)" "$revision" "$builder" "$only"
  (
    cd "$out"
    find . -type f ! -name 'SHA256SUMS*' ! -path '*/component/wkg.toml' -printf '%P\n' | sort | xargs -d '\n' sha256sum >SHA256SUMS
    if [ -n "${VAULTLET_SIGNING_KEY:-}" ]; then
      signed --detach-sign --output SHA256SUMS.asc SHA256SUMS
      gpg --batch --armor --export "$VAULTLET_SIGNING_KEY" >vaultlet-signing-key.asc
    fi
  )
}
