"""Makes the container image: an archive in the OCI image layout, from static programs, without a daemon.

    image.py ARCHIVE VERSION SOURCE REVISION ARCHITECTURE=PROGRAM…     (amd64=…, arm64=…)

SOURCE_DATE_EPOCH is the time of everything in it. Its layout is
<https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md>; `docker load` of versions that do not read that
finds a `manifest.json` of their own form beside it. All architectures are in one index, so a registry gives each machine
its own.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import sys
import tarfile
from datetime import datetime, timezone

# The program stands in the default PATH: as the entry point, as `command: ["vaultlet", …]`, and for `COPY --from`.
PROGRAM = "usr/local/bin/vaultlet"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Nobody's number on any machine, and not root's, as Kubernetes checks for `runAsNonRoot`.
USER = "65532:65532"
DESCRIPTION = "Azure Key Vault secrets for training jobs"
MEDIA = "application/vnd.oci.image."


def main() -> None:
    archive, version, source, revision, *programs = sys.argv[1:]
    now = int(os.environ["SOURCE_DATE_EPOCH"])
    created = datetime.fromtimestamp(now, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    about = {
        "org.opencontainers.image.created": created,
        "org.opencontainers.image.description": DESCRIPTION,
        "org.opencontainers.image.licenses": "Apache-2.0",
        "org.opencontainers.image.revision": revision,
        "org.opencontainers.image.source": source,
        "org.opencontainers.image.title": "vaultlet",
        "org.opencontainers.image.version": version,
    }
    blobs: dict[str, bytes] = {}

    def blob(kind: str, content: bytes, **more: object) -> dict[str, object]:
        digest = hashlib.sha256(content).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = content
        return {"mediaType": MEDIA + kind, "digest": f"sha256:{digest}", "size": len(content), **more}

    manifests, loads = [], []
    for architecture, program in (one.split("=", 1) for one in programs):
        with open(program, "rb") as file:
            layer = tar(now, layout(file.read()))
        packed = gzip.compress(layer, 9, mtime=0)
        platform = {"architecture": architecture, "os": "linux"}
        config = {
            "created": created,
            **platform,
            "config": {"User": USER, "Env": [f"PATH={PATH}"], "Entrypoint": ["/" + PROGRAM], "WorkingDir": "/", "Labels": about},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
            "history": [{"created": created, "created_by": "host/package", "comment": "the static program"}],
        }
        config_blob = blob("config.v1+json", as_json(config))
        layer_blob = blob("layer.v1.tar+gzip", packed)
        manifest = {
            "schemaVersion": 2,
            "mediaType": MEDIA + "manifest.v1+json",
            "config": config_blob,
            "layers": [layer_blob],
            "annotations": about,
        }
        manifests.append(blob("manifest.v1+json", as_json(manifest), platform=platform))
        loads.append(
            {
                "Config": place(config_blob),
                "RepoTags": [f"vaultlet:{version}-{architecture}"],
                "Layers": [place(layer_blob)],
            }
        )
    index = {"schemaVersion": 2, "mediaType": MEDIA + "index.v1+json", "manifests": manifests, "annotations": about}
    names = {
        "org.opencontainers.image.ref.name": version,
        "io.containerd.image.name": f"docker.io/library/vaultlet:{version}",
    }
    top = {
        "schemaVersion": 2,
        "mediaType": MEDIA + "index.v1+json",
        "manifests": [blob("index.v1+json", as_json(index), annotations=names)],
    }
    files = {
        "oci-layout": as_json({"imageLayoutVersion": "1.0.0"}),
        "index.json": as_json(top),
        "manifest.json": as_json(loads),
        "blobs/": None,
        "blobs/sha256/": None,
        **dict(sorted(blobs.items())),
    }
    entries = [(name, content, 0o755 if content is None else 0o644) for name, content in files.items()]
    with open(archive, "wb") as file:
        file.write(tar(now, entries))


def layout(program: bytes) -> list[tuple[str, bytes | None, int]]:
    """What the image contains: the program, and a folder for temporary files, which `vaultlet dev` needs."""
    folders = [("usr/", 0o755), ("usr/local/", 0o755), ("usr/local/bin/", 0o755)]
    return [("tmp/", None, 0o1777), *((name, None, mode) for name, mode in folders), (PROGRAM, program, 0o755)]


def tar(now: int, entries: list[tuple[str, bytes | None, int]]) -> bytes:
    """An archive of files, and of folders, which have no content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content, mode in entries:
            entry = tarfile.TarInfo(name)
            entry.mode, entry.mtime = mode, now
            entry.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
            entry.size = len(content or b"")
            archive.addfile(entry, io.BytesIO(content or b""))
    return buffer.getvalue()


def place(descriptor: dict[str, object]) -> str:
    return "blobs/" + str(descriptor["digest"]).replace(":", "/")


def as_json(value: object) -> bytes:
    return json.dumps(value, indent=2, sort_keys=True).encode() + b"\n"


if __name__ == "__main__":
    main()
