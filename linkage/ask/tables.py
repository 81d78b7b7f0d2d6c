"""The tables of asking: what is posted, what an item stands for, and what was known when it was asked.

Rules
- `questions.parquet` and `items.parquet` are those of `exchange.tables`: the service's side reads the first; the second
  is the only way back from an answer to a line and never leaves the engine.
- `asked.parquet` stays here too: one row for every item of every question ever made, with the probability of the
  moment. Calibration needs that number, not the one of today.

>>> list(ITEMS.columns)
['item_id', 'owner_record_id', 'role_on_line', 'person_id']
"""

from __future__ import annotations

import polars as pl

from exchange import tables
from linkage.schemas import Table

PARCEL = tables.PARCEL
"""One parcel as the protocol writes it (section 3, landquestions)."""

QUESTIONS = Table("questions", tables.QUESTIONS.columns)
ITEMS = Table("items", tables.ITEMS.columns)

ASKED = Table(
    "asked",
    {
        "question_id": (pl.String, "the question"),
        "citizen_id": (pl.String, "who is asked"),
        "item_id": (pl.String, "the item"),
        "owner_record_id": (pl.String, "the owner line"),
        "role": (pl.String, "owner, co_owner, co_owner_2, …"),
        "person_id": (pl.String, "the owner after quy chủ"),
        "rank": (pl.Int64, "order of asking, from 1"),
        "match_probability": (pl.Float64, "that this citizen is this owner, when the question was made"),
        "chance": (pl.Float64, "the same once all candidates before have said no"),
        "expected_gain": (pl.Float64, "places expected to be settled by asking this citizen about this item"),
        "chosen_by": (pl.String, "gain, random or probability"),
        "sampling_weight": (pl.Float64, "as in questions"),
    },
)
