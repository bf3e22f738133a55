# The packages that have the program alone: the file itself, .deb, .rpm, the container image, Homebrew's formula. Sourced by
# host/package, whose variables and functions are used.

# Said before anything is built.
needs_of_kinds() {
  local kind tool
  for kind in deb:nfpm deb:apt-ftparchive rpm:nfpm rpm:createrepo_c oci:python3; do
    tool=${kind#*:} kind=${kind%%:*}
    if asked "$kind"; then
      [ "$tool" != nfpm ] || command -v nfpm >/dev/null ||
        { echo "package: $kind needs \`nfpm\`: go install github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2" >&2; exit 69; }
      need "$tool" "$kind"
    fi
  done
  [ -z "${VAULTLET_SIGNING_KEY:-}" ] || need gpg 'a signature'
}

made_by_kinds() {
  local one kind images=()
  for one in $(printf '%s\n' "${!programs[@]}" | sort); do
    # Homebrew's formula has the checksums of these.
    if asked program || asked brew; then
      install -Dm755 "${programs[$one]}" "$(place_of "$one")"
    fi
    for kind in deb rpm; do
      if asked "$kind"; then
        say "$kind for $one"
        distribution "$kind" "$one" "${programs[$one]}"
      fi
    done
    images+=("$(other_name "$one")=${programs[$one]}")
  done
  if asked deb; then apt_repository; fi
  if asked rpm; then yum_repository; fi
  if asked oci; then
    say 'the image'
    mkdir -p "$out/oci"
    python3 host/packaging/image.py "$out/oci/vaultlet-$version-image.tar" "$version" "$(homepage)" "$revision" "${images[@]}"
  fi
  if asked brew; then
    mkdir -p "$out/brew"
    formula >"$out/brew/vaultlet.rb"
  fi
  if [ -n "$windows" ]; then
    mkdir -p "$out/scoop"
    install -Dm755 "$windows" "$out/program/vaultlet-$version-windows-x86_64.exe"
    manifest >"$out/scoop/vaultlet.json"
  fi
}

# The program alone, named as releases name it.
place_of() { # MACHINE
  printf '%s/program/vaultlet-%s-linux-%s\n' "$out" "$version" "$1"
}

# Machines as Debian and Go name them.
other_name() { # MACHINE
  case $1 in x86_64) echo amd64 ;; aarch64) echo arm64 ;; *) printf '%s\n' "$1" ;; esac
}

# Where whoever publishes this has the source, the releases and the issues.
homepage() {
  case $source in
    https://*) printf '%s\n' "$source" ;;
    *) sed -n '/^\[workspace.package\]/,/^\[/s/^repository = "\(.*\)"/\1/p' Cargo.toml ;;
  esac
}

# The bill of materials of a program, which is made unless it is this machine's.
bill_of() { # MACHINE PROGRAM
  local bill=$out/vaultlet-$1.cdx.json
  if [ "$1" = "$machine" ]; then
    bill=$out/vaultlet.cdx.json
  elif [ ! -e "$bill" ]; then
    install -D "$2" "$work/$1/vaultlet"
    provenance --bill vaultlet-cli "$1-unknown-linux-musl" "$work/$1/vaultlet" "$bill" "$(homepage)" "$revision"
  fi
  printf '%s\n' "$bill"
}

# A file, compressed as dpkg's and rpm's readers expect it: without its time.
compressed() { # FROM TO
  mkdir -p "$(dirname "$2")"
  gzip -9nc "$1" >"$2"
}

# Lays out what the .deb and the .rpm of one machine contain. Manual pages and completions are made by the program that runs
# here.
tree() { # FOLDER PROGRAM MACHINE
  local tree=$1 share=$1/usr/share doc=$1/documents/doc/vaultlet page
  local here=host/packaging/system
  install -Dm755 "$2" "$tree/usr/bin/vaultlet"
  install -Dm644 -t "$tree/usr/lib/systemd/system" host/packaging/systemd/vaultlet-agent.{service,socket}
  install -Dm644 "$here/agent.env" "$tree/etc/vaultlet/agent.env"
  "$program" man "$work/man" >/dev/null
  for page in "$work"/man/*; do
    compressed "$page" "$tree/documents/man/man1/${page##*/}.gz"
  done
  mkdir -p "$share/bash-completion/completions" "$share/fish/vendor_completions.d" "$tree/deb" "$tree/rpm" "$doc"
  "$program" completions bash >"$share/bash-completion/completions/vaultlet"
  "$program" completions fish >"$share/fish/vendor_completions.d/vaultlet.fish"
  "$program" completions zsh >"$tree/deb/_vaultlet"
  cp "$tree/deb/_vaultlet" "$tree/rpm/"
  pages "$doc"
  compressed .github/CHANGELOG.md "$doc/changelog.gz"
  compressed "$notices" "$doc/THIRD-PARTY.txt.gz"
  compressed "$(bill_of "$3" "$2")" "$doc/vaultlet.cdx.json.gz"
  sed "s,HOMEPAGE,$(homepage)," "$here/copyright" >"$tree/deb/copyright"
  cp "$here/lintian" "$tree/deb/"
  printf 'vaultlet (%s-1) stable; urgency=medium\n\n  * Version %s: see changelog.gz.\n\n -- The vaultlet authors <packages@vaultlet.dev>  %s\n' \
    "$version" "$version" "$(date -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9nc >"$tree/deb/changelog.Debian.gz"
  cp LICENSE "$tree/rpm/"
  cp -r host/packaging/scripts "$tree/"
  chmod -R u=rwX,go=rX "$tree"
  find "$tree" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +
}

distribution() { # deb|rpm MACHINE PROGRAM
  local tree=$work/tree-$2 home
  home=$(homepage)
  [ -d "$tree" ] || tree "$tree" "$3" "$2"
  mkdir -p "$out/$1"
  (
    cd "$tree"
    cp "$root/host/packaging/nfpm.yaml" "$1.yaml"
    # Only rpm has a mark for documents, by which users of containers leave them out.
    if [ "$1" = rpm ]; then
      find documents -type f -printf '  - { src: documents/%P, dst: /usr/share/%P, type: doc }\n' | sort >>rpm.yaml
    fi
    PACKAGE_ARCHITECTURE=$(other_name "$2") PACKAGE_VERSION=$version PACKAGE_HOMEPAGE=$home \
      nfpm package --config "$1.yaml" --packager "$1" --target "$out/$1" >/dev/null
  )
}

# The folder of the packages is a repository of apt: `deb [signed-by=KEY] ADDRESS ./`.
apt_repository() {
  (
    cd "$out/deb"
    apt-ftparchive packages . >Packages
    compressed Packages Packages.gz
    apt-ftparchive -o APT::FTPArchive::Release::Origin=vaultlet -o APT::FTPArchive::Release::Label=vaultlet \
      -o APT::FTPArchive::Release::Suite=stable release . >"$work/Release"
    # The time is that of the packages; the files' checksums are what counts.
    sed "s/^Date: .*/Date: $(date -R -d "@$SOURCE_DATE_EPOCH")/" "$work/Release" >Release
    if [ -n "${VAULTLET_SIGNING_KEY:-}" ]; then signed --clearsign --output InRelease Release; fi
  )
}

# And that of the other packages one of dnf, yum and zypper.
yum_repository() {
  # Times of files are in the metadata.
  find "$out/rpm" -name '*.rpm' -exec touch --date "@$SOURCE_DATE_EPOCH" {} +
  createrepo_c --quiet --no-database --revision "$SOURCE_DATE_EPOCH" --set-timestamp-to-revision "$out/rpm"
  if [ -n "${VAULTLET_SIGNING_KEY:-}" ]; then signed --detach-sign --output "$out/rpm/repodata/repomd.xml.asc" "$out/rpm/repodata/repomd.xml"; fi
}

# A signature by the key that whoever publishes this has.
signed() { # ARGUMENT…
  gpg --batch --yes --quiet --armor --local-user "$VAULTLET_SIGNING_KEY" "$@"
}

# Scoop's manifest. What follows `#/` is the name that the file gets.
manifest() {
  local releases file=vaultlet-$version-windows-x86_64.exe
  releases=$(homepage)/releases/download
  cat <<END
{
    "version": "$version",
    "description": "Azure Key Vault secrets for training jobs",
    "homepage": "$(homepage)",
    "license": "Apache-2.0",
    "architecture": {
        "64bit": {
            "url": "$releases/v$version/$file#/vaultlet.exe",
            "hash": "$(sha256sum "$windows" | cut -d ' ' -f 1)"
        }
    },
    "bin": "vaultlet.exe",
    "checkver": {
        "github": "$(homepage)"
    },
    "autoupdate": {
        "architecture": {
            "64bit": {
                "url": "$releases/v\$version/vaultlet-\$version-windows-x86_64.exe#/vaultlet.exe"
            }
        }
    }
}
END
}

formula() {
  local machine word
  cat <<END
# Made by host/package of vaultlet $version.
class Vaultlet < Formula
  desc "Azure Key Vault secrets for training jobs"
  homepage "$(homepage)"
  version "$version"
  license "Apache-2.0"

END
  for machine in $(printf '%s\n' "${!programs[@]}" | sort -r); do
    case $machine in x86_64) word=intel ;; *) word=arm ;; esac
    cat <<END
  on_$word do
    url "$(homepage)/releases/download/v$version/$(basename "$(place_of "$machine")")"
    sha256 "$(sha256sum "$(place_of "$machine")" | cut -d ' ' -f 1)"
  end

END
  done
  cat <<'END'
  depends_on :linux

  def install
    bin.install Dir["vaultlet-*"].first => "vaultlet"
    chmod 0755, bin/"vaultlet"
    generate_completions_from_executable(bin/"vaultlet", "completions")
    system bin/"vaultlet", "man", man1
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/vaultlet --version")
    system bin/"vaultlet", "demo"
  end
end
END
}
