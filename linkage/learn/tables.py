"""The tables of learning: answers as they came, where each item ended, and labels for training and calibration.

Rules
- A later entry of the same question and item replaces an earlier one: a citizen may take an answer back, and two
  officers may decide anew.
- A label says whether one citizen is one owner, and how it came to be known; the part drawn by lot (`random`) and the
  part chosen by the machine (`chosen`) are never mixed.

>>> "taken_back" in OUTCOMES
False
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from exchange import tables
from linkage.schemas import Table

ANSWERS = Table("answers", tables.ANSWERS.columns)

OUTCOMES: Mapping[str, tuple[str, str]] = {
    "confirmed": ("confirmed and proven by the citizen", "Công dân xác nhận, đã chứng minh"),
    "same_hand": ("settled with a proven line of the same hand", "Cùng giấy chứng nhận hoặc số giấy tờ đã xác nhận"),
    "office": ("with an officer", "Chuyển cán bộ"),
    "denied": ("everyone asked says it is not theirs", "Những người được hỏi đều nói không phải của mình"),
    "no_answer": ("nobody answered in time", "Không ai trả lời trong thời hạn"),
    "open": ("still waiting for an answer", "Còn chờ trả lời"),
}
"""Where an asked item ended: code → (English, Vietnamese)."""

ITEM_OUTCOMES = Table(
    "outcomes",
    {
        "item_id": (pl.String, "the item"),
        "owner_record_id": (pl.String, "the owner line"),
        "role": (pl.String, "owner, co_owner, co_owner_2, …"),
        "person_id": (pl.String, "the owner after quy chủ"),
        "outcome": (pl.String, "a code of OUTCOMES"),
        "citizen_id": (pl.String, "to whom it is linked now, or null"),
    },
)

LABELS = Table(
    "labels",
    {
        "owner_record_id": (pl.String, "the owner line"),
        "role": (pl.String, "owner, co_owner, co_owner_2, …"),
        "person_id": (pl.String, "the owner after quy chủ"),
        "citizen_id": (pl.String, "the citizen who was asked"),
        "label": (pl.Int8, "1: this owner is this citizen, proven; 0: the citizen denies it"),
        "source": (pl.String, "random: drawn by lot; chosen: by the machine"),
        "sampling_weight": (pl.Float64, "questions this one stands for; 1 for the chosen part"),
        "evidence_level": (pl.String, "tap, challenge or officer"),
        "match_probability": (pl.Float64, "what the model said when the question was made"),
    },
)
