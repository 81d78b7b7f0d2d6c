"""Questions and answers as small as the rules allow: places of one line or several, who was asked, what was said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from linkage.ask.tables import ASKED
from linkage.learn.settle import Settled, settle
from linkage.learn.tables import ANSWERS

A, B, C = "000000000001", "000000000002", "000000000003"
PROVEN = ("settled", "mine", True, "challenge")
BY_OFFICER = ("settled", "mine", True, "officer")
BARE_YES = ("office", "mine", False, "tap")
DENIED = ("settled", "not_mine", False, "tap")
UNSURE = ("office", "unsure", False, "tap")
FRAUD = ("office", "suspected_fraud", False, "tap")
EXPIRED = ("expired", None, False, "none")
DECLINED = ("declined", None, False, "none")
WITHDRAWN = ("withdrawn", None, False, "none")
DISPUTED = ("disputed", "mine", True, "challenge")

Kind = tuple[str, str | None, bool, str]


def place(
    item: str, line: str, *, role: str = "owner", hand: int = 0, serial: str | None = "AB123456"
) -> dict[str, Any]:
    """One asked item."""
    return {"item_id": item, "owner_record_id": line, "role": role, "person_id": "P", "hand": hand, "serial": serial}


def places(*rows: dict[str, Any]) -> pl.DataFrame:
    """The table of items."""
    schema = {name: pl.Int32 if name == "hand" else pl.String for name in place("i", "L")}
    return pl.DataFrame(rows, schema=schema)


def asked(table: pl.DataFrame, *who: str, chosen_by: str = "gain", weight: float = 1.0) -> pl.DataFrame:
    """Everybody of `who` was asked about every item, in this order; a question a citizen."""
    rows = [
        {
            "question_id": f"q-{citizen}",
            "citizen_id": citizen,
            "item_id": row["item_id"],
            "owner_record_id": row["owner_record_id"],
            "role": row["role"],
            "person_id": row["person_id"],
            "rank": rank,
            "match_probability": 0.6 / rank,
            "chance": 0.6,
            "expected_gain": 0.5,
            "chosen_by": chosen_by,
            "sampling_weight": weight,
        }
        for row in table.iter_rows(named=True)
        for rank, citizen in enumerate(who, start=1)
    ]
    return pl.DataFrame(rows, schema=ASKED.schema())


def answers(*said: tuple[str, str, Kind]) -> pl.DataFrame:
    """Entries (item, citizen, kind) in the order they came."""
    rows = [
        (entry, f"q-{citizen}", item, citizen, *kind, None if kind[1] is None else 1_760_000_000 + entry)
        for entry, (item, citizen, kind) in enumerate(said)
    ]
    return pl.DataFrame(rows, schema=ANSWERS.schema(), orient="row")


def held(*rows: tuple[str, str]) -> pl.DataFrame:
    """Which citizens are linked to which lines already."""
    return pl.DataFrame(rows, schema={"owner_record_id": pl.String, "citizen_id": pl.String}, orient="row")


def settled(
    table: pl.DataFrame, said: Sequence[tuple[str, str, Kind]], *, who: Sequence[str] = (A,),
    linked: Sequence[tuple[str, str]] = (),
) -> Settled:  # fmt: skip
    """What these answers settle."""
    return settle(answers(*said), asked(table, *who), table, held(*linked))


def ends(result: Settled) -> dict[str, tuple[str, str | None]]:
    """Item → (outcome, citizen)."""
    rows = result.outcomes.select("item_id", "outcome", "citizen_id").iter_rows()
    return {item: (outcome, citizen) for item, outcome, citizen in rows}
