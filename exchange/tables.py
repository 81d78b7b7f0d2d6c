"""The tables that cross between engine and service: `questions.parquet`, `items.parquet`, `answers.parquet`.

Rules
- Each column has a type, a unit in its name or sentence, and one sentence; a table is checked where it is read.
- Columns may be added; those named here may not be missing or of another type.
- `item_id` is the only way back from an answer to a register line, and `items.parquet` never leaves the engine.

>>> QUESTIONS.schema["priority"], ANSWERS.schema["entry"]
(Float64, Int64)
>>> import polars as pl
>>> ITEMS.faults(pl.DataFrame({"item_id": ["a"], "owner_record_id": [1], "role_on_line": ["owner"]}))
['owner_record_id is Int64, expected String', 'person_id is missing']
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

PARCEL = pl.Struct(
    {
        "item_id": pl.String(),
        "rank": pl.Int64(),
        "parcel_code": pl.String(),
        "commune_name": pl.String(),
        "hamlet": pl.String(),
        "land_use_code": pl.String(),
        "area_m2": pl.Float64(),
        "certificate_serial": pl.String(),
        "certificate_year": pl.Int64(),
        "co_owner_name": pl.String(),
        "role": pl.String(),
    }
)
"""The protocol's parcel."""

CHOSEN_BY = ("gain", "random", "probability")


@dataclass(frozen=True)
class Table:
    """A named contract: columns, their types and what they mean."""

    name: str
    means: str
    columns: dict[str, tuple[pl.DataType, str]]

    @property
    def schema(self) -> pl.Schema:
        """Column name to type, in order."""
        return pl.Schema({name: kind for name, (kind, _) in self.columns.items()})

    def empty(self) -> pl.DataFrame:
        """The table without a row."""
        return pl.DataFrame(schema=self.schema)

    def faults(self, frame: pl.DataFrame | pl.LazyFrame) -> list[str]:
        """What keeps `frame` from being this table, a sentence each."""
        found = frame.collect_schema()
        return [
            f"{name} is {found[name]}, expected {kind}" if name in found else f"{name} is missing"
            for name, kind in self.schema.items()
            if found.get(name) != kind
        ]


QUESTIONS = Table(
    "questions.parquet",
    "One row per question: all doubtful parcels of one citizen, and why it is asked.",
    {
        "question_id": (pl.String(), "22 base64url characters, random."),
        "citizen_id": (pl.String(), "12 digits."),
        "priority": (pl.Float64(), "From 0 to 1; higher is asked first."),
        "expires_in": (pl.Int64(), "Seconds from acceptance, 60 to 2,592,000."),
        "expected_gain": (pl.Float64(), "Expected number of items this question settles correctly."),
        "chosen_by": (pl.String(), "gain, random or probability: how it came to be asked."),
        "sampling_weight": (pl.Float64(), "One over the probability of being chosen; weights the labels."),
        "parcels": (pl.List(PARCEL), "The protocol's parcels; at least one."),
    },
)

ITEMS = Table(
    "items.parquet",
    "One row per item: which person's place on which register line it stands for. Stays with the engine.",
    {
        "item_id": (pl.String(), "22 base64url characters, random; the same in every candidate's question."),
        "owner_record_id": (pl.String(), "The register line."),
        "role_on_line": (pl.String(), "`role` of links.parquet: owner, co_owner, co_owner_2, …"),
        "person_id": (pl.String(), "The person after quy chủ."),
    },
)

ANSWERS = Table(
    "answers.parquet",
    "One row per entry of landanswers, in the order they were fetched; a later entry of an item replaces an earlier.",
    {
        "entry": (pl.Int64(), "Order of fetching, from 0."),
        "question_id": (pl.String(), "The question."),
        "item_id": (pl.String(), "The item."),
        "citizen_id": (pl.String(), "Who was asked; 12 digits."),
        "state": (pl.String(), "settled, declined, expired, withdrawn, undeliverable, disputed or office."),
        "verdict": (pl.String(), "mine, not_mine, unsure, suspected_fraud; null without a reply."),
        "proven": (pl.Boolean(), "Whether `mine` was proven by the certificate or decided by officers."),
        "evidence_level": (pl.String(), "none, tap, challenge or officer."),
        "answered_at": (pl.Int64(), "Seconds since 1970 UTC; null without a reply."),
    },
)

TABLES = (QUESTIONS, ITEMS, ANSWERS)
