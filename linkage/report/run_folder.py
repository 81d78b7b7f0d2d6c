"""What a finished run left behind, read with tolerance.

Rules
- Only `links.parquet` must be there; any other file or key may be missing, and the page says which section it cost.
- Large tables (`persons`, `candidates`) are scanned: only what a section needs is read.
- A file that is there but cannot be read stops the report with one sentence; silence would look like an empty run.

>>> open_run(Path("no such folder"))
Traceback (most recent call last):
    ...
linkage.errors.UnreadableFileError: no such folder/links.parquet: no such file; give the folder of a finished run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from linkage.errors import UnreadableFileError
from linkage.report.metrics import Evaluation


@dataclass(frozen=True)
class RunFolder:
    """The tables and the two JSON files of a run; absent ones are None or empty."""

    name: str
    links: pl.DataFrame
    persons: pl.LazyFrame | None
    candidates: pl.LazyFrame | None
    rejected: pl.DataFrame | None
    model: dict[str, Any]
    manifest: dict[str, Any]
    evaluation: Evaluation | None
    comparison: dict[str, Any] = field(default_factory=dict)

    @property
    def splink(self) -> dict[str, Any]:
        """Splink's own settings inside the model file, and behind them the joint evidence, in the same shape."""
        settings, evidence = _mapping(self.model.get("splink")), self.model.get("evidence") or []
        return (
            {**settings, "comparisons": [*settings["comparisons"], *evidence]}
            if "comparisons" in settings
            else settings
        )

    @property
    def card(self) -> dict[str, Any]:
        """What the model was trained on, and its sentences."""
        return _mapping(self.model.get("card"))


def open_run(folder: Path) -> RunFolder:
    """Open the run in `folder`; an `evaluation.json` in it is taken along."""
    links = folder / "links.parquet"
    if not links.is_file():
        raise UnreadableFileError(str(links), "no such file", "give the folder of a finished run")
    return RunFolder(
        name=folder.resolve().name,
        links=_scan(links).collect(),
        persons=_scan_if_there(folder / "persons.parquet"),
        candidates=_scan_if_there(folder / "candidates.parquet"),
        rejected=_read_if_there(folder / "rejected.parquet"),
        model=_json_if_there(folder / "model.json"),
        manifest=_manifest(_json_if_there(folder / "run.json")),
        evaluation=_evaluation_if_there(folder / "evaluation.json"),
        comparison=_json_if_there(folder / "model-comparison.json"),
    )


def _scan(file: Path) -> pl.LazyFrame:
    try:
        pl.read_parquet_schema(file)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UnreadableFileError(str(file), "not a readable Parquet file", "run the link again") from error
    return pl.scan_parquet(file)


def _scan_if_there(file: Path) -> pl.LazyFrame | None:
    return _scan(file) if file.is_file() else None


def _read_if_there(file: Path) -> pl.DataFrame | None:
    return _scan(file).collect() if file.is_file() else None


def _json_if_there(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        return _mapping(json.loads(file.read_text(encoding="utf-8")))
    except ValueError as error:
        raise UnreadableFileError(str(file), "not readable JSON", "run the link again") from error


def _evaluation_if_there(file: Path) -> Evaluation | None:
    if not file.is_file():
        return None
    try:
        return Evaluation.from_json(file.read_bytes())
    except ValueError as error:
        raise UnreadableFileError(str(file), "not an evaluation of this version", "evaluate the run again") from error


def _manifest(raw: dict[str, Any]) -> dict[str, Any]:
    """Lay the manifest out as the page reads it: sections on top, inputs by role, one name for each hash and peak.

    >>> _manifest({"inputs": [{"role": "owners", "file": "a"}], "config": {"sha256": "5b"}, "sections": {"notes": []}})
    {'inputs': {'owners': {'role': 'owners', 'file': 'a'}}, 'notes': [], 'config_hash': '5b'}
    """
    flat = {key: value for key, value in raw.items() if key not in {"sections", "config", "model"}}
    flat |= _mapping(raw.get("sections"))
    if isinstance(flat.get("inputs"), list):
        flat["inputs"] = {str(each.get("role", place)): each for place, each in enumerate(flat["inputs"])}
    for name in ("config", "model"):
        if sha256 := _mapping(raw.get(name)).get("sha256"):
            flat[f"{name}_hash"] = sha256
    for record in (flat, *flat.get("steps", [])):
        if "peak_memory_bytes" in record:
            record["peak_bytes"] = record.pop("peak_memory_bytes")
    return flat


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
