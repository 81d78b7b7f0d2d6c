"""docs/protocol/README.md tells what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from exchange.kinds import KINDS
from exchange.payloads import JSON_MODELS, MODELS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "protocol"
TEXT = (FOLDER / "README.md").read_text(encoding="utf-8")


def test_every_reason_of_a_refusal_is_in_the_table_beside_its_check():
    told = {
        (int(row[1]), reason)
        for row in re.finditer(r"^\| (\d+) \|[^|]*\|([^|]*)\|$", TEXT, re.MULTILINE)
        for reason in re.findall(r"`([a-z-]+)`", row[2])
    }
    source = (ROOT / "exchange" / "sealed" / "open.py").read_text(encoding="utf-8")
    assert told == {(int(check), reason) for check, reason in re.findall(r'refuse\((\d+), "([a-z-]+)"\)', source)}


def test_every_kind_and_every_schema_is_in_the_index():
    assert all(f"| `{kind.typ}` | {kind.sender} → {kind.receiver} |" in TEXT for kind in KINDS.values())
    linked = set(re.findall(r"\(([a-z-]+\.schema\.json)\)", TEXT))
    assert linked == {path.name for path in FOLDER.glob("*.schema.json")}
    assert len(linked) == len(MODELS) + len(JSON_MODELS)
