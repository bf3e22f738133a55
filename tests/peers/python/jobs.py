"""Reads job files by `load_job`, as `az ml job create` does, and prints what it makes of them as JSON.

Arguments are files; those after `--compute` define compute, and are read by `load_compute`.
"""

import json
import logging
import re
import sys
import warnings
from pathlib import Path

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

from azure.ai.ml import load_compute, load_job  # noqa: E402


def sent(file: str) -> dict:
    """The command that is sent, with its inputs; data as absolute paths, outputs as their names."""
    job = load_job(file)
    if job.type != "command":
        return {"type": job.type}
    properties = job._to_job()._to_rest_object().properties
    values = {f"outputs.{name}": f"<{name}>" for name in properties.get("outputs") or {}}
    for name, item in (properties.get("inputs") or {}).items():
        if item["jobInputType"] == "literal":
            values[f"inputs.{name}"] = item["value"]
        else:
            path = item["uri"].removeprefix("file:")
            values[f"inputs.{name}"] = str((Path(file).parent / path).absolute())
    raw = properties["command"]
    command = re.sub(r"\$\{\{\s*([\w.]+)\s*\}\}", lambda it: values.get(it[1], it[0]), raw)
    identity = (properties.get("identity") or {}).get("identityType")
    return {"type": job.type, "raw": raw, "command": command, "identity": identity}


is_compute, found = False, {}
for argument in sys.argv[1:]:
    if argument == "--compute":
        is_compute = True
        continue
    try:
        kind = {"type": load_compute(argument).type} if is_compute else sent(argument)
        found[argument] = kind
    except Exception as error:  # whatever is raised is a refusal
        found[argument] = {"refused": " ".join(str(error).split())[:300]}
print(json.dumps(found))
