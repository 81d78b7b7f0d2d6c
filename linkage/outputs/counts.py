"""Counts that a finished run gains afterwards: how many questions were made, how many answers came, what they settled.

Rules
- `run.json` is written anew in full; what stands in it stays, and of its `counts` only those given change.
- A folder without `run.json` is no finished run.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from linkage.errors import RunFolderError
from linkage.outputs.durable import write_json

RUN_JSON = "run.json"


def read_manifest(run: Path) -> dict[str, Any]:
    """What `run.json` of a finished run holds; `RunFolderError` where there is none or the run is not finished."""
    try:
        found = json.loads((run / RUN_JSON).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or found.get("status") != "finished":
        message = f"{run.name}: expected the folder of a finished run, found none; run `quychu link` to its end first."
        raise RunFolderError(message)
    return found


def add_counts(run: Path, **counts: object) -> dict[str, Any]:
    """Put `counts` into `run.json`; returns all counts."""
    manifest = read_manifest(run)
    manifest["counts"] = {**manifest.get("counts", {}), **counts}
    write_json(run / RUN_JSON, manifest)
    return dict(manifest["counts"])


def describe(run: Path, **sections: object) -> None:
    """Put sections of their own beside `counts` into `run.json`."""
    write_json(run / RUN_JSON, {**read_manifest(run), **sections})
