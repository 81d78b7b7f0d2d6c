"""The tables of asking: what is posted, what an item stands for, and what was known when it was asked.

Rules
- `questions.parquet` and `items.parquet` go to the service's side; their columns are those of the protocol.
- `asked.parquet` stays here: one row for every item of every question ever made, with the probability of the moment.
  Calibration needs that number, not the one of today.

>>> list(ITEMS.columns)
['item_id', 'owner_record_id', 'role_on_line', 'person_id']
"""

from __future__ import annotations

import polars as pl

from linkage.schemas import Table

PARCEL = pl.Struct(
    {
        "item_id": pl.String,
        "rank": pl.Int64,
        "parcel_code": pl.String,
        "commune_name": pl.String,
        "hamlet": pl.String,
        "land_use_code": pl.String,
        "area_m2": pl.Float64,
        "certificate_serial": pl.String,
        "certificate_year": pl.Int64,
        "co_owner_name": pl.String,
        "role": pl.String,
    }
)
"""One parcel as the protocol writes it (section 3, landquestions)."""

QUESTIONS = Table(
    "questions",
    {
        "question_id": (pl.String, "random, 22 characters; never derived"),
        "citizen_id": (pl.String, "who is asked"),
        "priority": (pl.Float64, "0 to 1; the expected gain as a share of the greatest"),
        "expires_in": (pl.Int64, "seconds from acceptance, 60 to 2,592,000"),
        "expected_gain": (pl.Float64, "places expected to be settled by this question"),
        "chosen_by": (pl.String, "gain, random or probability"),
        "sampling_weight": (pl.Float64, "questions of the population this one stands for; 1 for the chosen part"),
        "parcels": (pl.List(PARCEL), "the places asked about"),
    },
)

ITEMS = Table(
    "items",
    {
        "item_id": (pl.String, "random, 22 characters; the same in every candidate's question and every round"),
        "owner_record_id": (pl.String, "the owner line"),
        "role_on_line": (pl.String, "owner, co_owner, co_owner_2, …"),
        "person_id": (pl.String, "the owner after quy chủ"),
    },
)

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
