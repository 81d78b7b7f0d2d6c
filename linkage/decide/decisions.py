"""Decide: the best candidate of each person → link, ask, review, no_match, not_a_person; each with a reason.

Rules
- `link` needs a probability of at least `link_at`; everything below is for people, never for the machine.
- `ask` is for a doubt that a living citizen can settle; `review` for one that only an officer can: the candidate is
  dead by the register or abroad, or the person's own papers contradict each other.
- A number under another name is never linked by the machine, whatever its weight: an officer sees the paper.
- Below `ask_at` nobody is proposed: `no_match`, though the best candidate stays visible beside it.
- A reason is a stable code; `REASONS` gives its words in English and Vietnamese.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

DECISIONS: Mapping[str, str] = {
    "link": "Khớp (máy tự nhận)",
    "ask": "Cần hỏi công dân",
    "review": "Cán bộ cần xem",
    "no_match": "Không tìm thấy trong CSDL dân cư",
    "not_a_person": "Không phải cá nhân",
}
"""Decision → the words an officer reads."""

REASONS: Mapping[str, tuple[str, str]] = {
    "same_id12": ("12-digit number and name agree", "Trùng số định danh 12 số và họ tên"),
    "same_id9": ("9-digit number and name agree", "Trùng số CMND 9 số và họ tên"),
    "near_id": ("number one digit away, name agrees", "Số giấy tờ lệch một chữ số, họ tên phù hợp"),
    "name_spouse": ("name and spouse agree", "Trùng họ tên và vợ hoặc chồng"),
    "name_birth_place": ("name, birth and commune agree", "Trùng họ tên, năm sinh và nơi ở"),
    "name_birth": ("name and birth agree", "Trùng họ tên và năm sinh"),
    "name_place": ("name and commune agree", "Trùng họ tên và nơi ở"),
    "other_evidence": ("several fields agree in part", "Nhiều thông tin phù hợp một phần"),
    "rival": ("another citizen fits nearly as well", "Có người khác phù hợp gần như vậy"),
    "weak_evidence": ("too little evidence to decide", "Chưa đủ căn cứ để kết luận"),
    "citizen_deceased": ("the citizen is dead by the register", "Công dân đã chết theo CSDL dân cư"),
    "citizen_abroad": ("the citizen has emigrated", "Công dân đã ra nước ngoài"),
    "name_differs": (
        "the number is this citizen's, the name is not",
        "Số giấy tờ là của công dân này nhưng họ tên khác hẳn",
    ),
    "papers_conflict": ("the owner's own papers contradict each other", "Giấy tờ của chủ sử dụng mâu thuẫn nhau"),
    "no_candidate": ("nobody in the register resembles the owner", "Không có công dân nào tương tự"),
    "nobody_likely": ("the owner is probably not in the register", "Nhiều khả năng không có trong CSDL dân cư"),
    "citizen_confirmed": (
        "the citizen confirmed it and proved it",
        "Công dân đã xác nhận và chứng minh được",
    ),
    "citizen_denied": (
        "everyone who was asked says it is not theirs",
        "Những người được hỏi đều trả lời không phải của mình",
    ),
    "office_decides": (
        "an officer decides after what citizens answered",
        "Cán bộ quyết định sau khi công dân trả lời",
    ),
    "unreadable_name": ("the name cannot be read", "Không đọc được họ tên"),
    "organisation": ("an organisation", "Tổ chức"),
    "community": ("a community", "Cộng đồng dân cư"),
    "religious": ("a religious body", "Cơ sở tôn giáo, tín ngưỡng"),
}
"""Stable code → (English, Vietnamese)."""


@dataclass(frozen=True)
class Thresholds:
    """Probabilities above which the machine links, and above which a person is asked."""

    link_at: float = 0.99
    ask_at: float = 0.1
    rival_at: float = 0.02


_OTHER_NAMES = ("different", "given name only")
"""Levels of the name at which a number alone never links: it may be the wife's, or written on the wrong line."""


def _agreement() -> pl.Expr:
    """The evidence that carries a link, strongest first; levels by their numbers in the catalogue."""
    name = pl.col("level_full_name").is_in(["same", "sounds the same", "a word more or less"])
    born = pl.col("level_birth").is_in(
        ["full date", "day and month swapped", "year, no day to compare", "year, another day"]
    )
    near = pl.col("level_commune").is_in(["residence", "parcel's commune"])
    married = pl.col("level_spouse").is_in(["same", "sounds the same", "a word more or less"])
    slip = "a digit wrong or swapped"
    return (
        pl.when(pl.col("level_id12") == "same")
        .then(pl.lit("same_id12"))
        .when(pl.col("level_id9") == "same")
        .then(pl.lit("same_id9"))
        .when((pl.col("level_id12") == slip) | (pl.col("level_id9") == slip))
        .then(pl.lit("near_id"))
        .when(name & married)
        .then(pl.lit("name_spouse"))
        .when(name & born & near)
        .then(pl.lit("name_birth_place"))
        .when(name & born)
        .then(pl.lit("name_birth"))
        .when(name & near)
        .then(pl.lit("name_place"))
        .otherwise(pl.lit("other_evidence"))
    )


def decide(best: pl.DataFrame, thresholds: Thresholds) -> pl.DataFrame:
    """Add `decision` and `reason` to one row a person.

    `best` holds `kind`, `name_folded`, `citizen_id`, `match_probability`, `runner_up_probability`, `status`,
    `conflict` and `level_<comparison>` (the label of the level reached).
    """
    p = pl.col("match_probability").fill_null(0.0)
    not_person = pl.col("kind").is_in(["organisation", "community", "religious"])
    linked = (p >= thresholds.link_at) & ~pl.col("level_full_name").is_in(_OTHER_NAMES).fill_null(value=False)
    doubtful = p >= thresholds.ask_at
    rival = pl.col("runner_up_probability").fill_null(0.0) >= thresholds.rival_at
    other_name = pl.col("level_full_name").is_in(_OTHER_NAMES).fill_null(value=False)
    officer = (
        pl.when(other_name & (p >= thresholds.ask_at))
        .then(pl.lit("name_differs"))
        .when(pl.col("status") == "deceased")
        .then(pl.lit("citizen_deceased"))
        .when(pl.col("status") == "emigrated")
        .then(pl.lit("citizen_abroad"))
        .when(pl.col("conflict").is_not_null())
        .then(pl.lit("papers_conflict"))
    )
    decision = (
        pl.when(not_person)
        .then(pl.lit("not_a_person"))
        .when(linked)
        .then(pl.lit("link"))
        .when(doubtful & officer.is_not_null())
        .then(pl.lit("review"))
        .when(doubtful)
        .then(pl.lit("ask"))
        .otherwise(pl.lit("no_match"))
    )
    reason = (
        pl.when(not_person)
        .then(pl.col("kind"))
        .when(linked)
        .then(_agreement())
        .when(doubtful)
        .then(pl.coalesce(officer, pl.when(rival).then(pl.lit("rival")).otherwise(pl.lit("weak_evidence"))))
        .when(pl.col("name_folded").is_null())
        .then(pl.lit("unreadable_name"))
        .when(pl.col("citizen_id").is_null())
        .then(pl.lit("no_candidate"))
        .otherwise(pl.lit("nobody_likely"))
    )
    return best.with_columns(decision=decision, reason=reason)
