"""Writes docs/protocol/*.schema.json from the payload models; `--check` tells whether they are stale.

Rules
- One file a kind, named by its `typ` without `+jwt`; what crosses unsealed is named by its model.
- The same models give the same bytes. A file that no kind has is removed.
- JSON Schema cannot say every rule; those between fields stand in the description and in exchange/payloads.

Example: python scripts/write_protocol_schemas.py --check
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from exchange.kinds import event_of  # noqa: E402 - the checkout comes first on the path
from exchange.payloads import JSON_MODELS, MODELS, Payload  # noqa: E402

FOLDER = ROOT / "docs" / "protocol"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, str]:
    """File name to text."""
    named = {event_of(typ): model for typ, model in MODELS.items()} | JSON_MODELS
    return {f"{name}.schema.json": _text(name, model) for name, model in named.items()}


def _text(name: str, model: type[Payload]) -> str:
    schema = _plain(model.model_json_schema())
    head = {"$schema": DIALECT, "$id": f"urn:quychu:schema:1:{name}", "title": name}
    return (
        json.dumps(head | {key: value for key, value in schema.items() if key != "title"}, indent=2, ensure_ascii=False)
        + "\n"
    )


def _plain(schema: Any) -> Any:
    """Without the titles pydantic makes of every field's name."""
    if isinstance(schema, list):
        return [_plain(member) for member in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _plain(member) for name, member in value.items()}
        if key in {"properties", "$defs"}
        else _plain(value)
        for key, value in schema.items()
        if key != "title"
    }


def stale(folder: Path = FOLDER) -> list[str]:
    """The files that differ from the models, are missing, or are nobody's."""
    wanted = schemas()
    there = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.schema.json")}
    return sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))


def write(folder: Path = FOLDER) -> None:
    """Bring the folder up to date."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = schemas()
    for path in folder.glob("*.schema.json"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def main(arguments: list[str]) -> int:
    """Write, or say what is stale."""
    if arguments == ["--check"]:
        found = stale()
        print("\n".join(found) if found else "docs/protocol is up to date")
        return 1 if found else 0
    write()
    print(f"Wrote {len(schemas())} schemas to docs/protocol")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
