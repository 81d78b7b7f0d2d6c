"""Which rows are refused, and why: each stands once in `rejected` with the first reason that applies.

Rules, in this order
1. `cell-too-long`: a cell longer than `MAX_CELL_CHARACTERS`; no field of a register is.
2. `missing-id`, `missing-name`, …: a required column is empty (or held a spreadsheet's error, `#REF!`).
3. `bad-citizen-id`: not 12 digits even after the zeros that a spreadsheet drops are put back.
4. `duplicate-id`: the id stood in an earlier row that was kept.

>>> frame = pl.DataFrame({"row_number": [1, 2], "source_part": ["a", "a"], "id": ["7", "7"]})
>>> good, rejected = sift(frame, [], unique="id")
>>> good.height, rejected["reason"].to_list()
(1, ["duplicate-id: the same 'id' stands in an earlier row"])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from linkage.schemas import REJECTED
from linkage.sources.mapping import PART, ROW
from linkage.sources.tables import MAX_VALUE_SHOWN

MAX_CELL_CHARACTERS = 10_000
_MIN_FLOAT_DIGITS = 9
"""Digits that float notation must show to be exact: `4.5085E+10` has lost the rest, `4.5085012345E+10` nothing."""
_WHY = "__why"


@dataclass(frozen=True)
class Check:
    """A row is refused where `broken` holds; `column` is at fault."""

    reason: str
    column: str
    broken: pl.Expr


def too_long(frame: pl.DataFrame) -> list[Check]:
    """A check for each text column that has a cell too long; bytes are counted first because that is cheap."""
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    longest = frame.select(pl.col(texts).str.len_bytes().max())
    sentence = f"cell-too-long: the cell holds more than {MAX_CELL_CHARACTERS:,} characters"
    return [
        Check(sentence, name, pl.col(name).str.len_chars() > MAX_CELL_CHARACTERS)
        for name in texts
        if (longest[name].item() or 0) > MAX_CELL_CHARACTERS
    ]


def filled(column: str, code: str) -> Check:
    """A check that `column` holds something."""
    return Check(f"{code}: '{column}' is empty or holds an error value", column, pl.col(column).is_null())


def twelve_digits(column: str) -> Check:
    """A check that `column`, repaired, is 12 digits."""
    sentence = f"bad-citizen-id: '{column}' is not 12 digits, nor 10 or 11 that lost their leading zeros"
    return Check(sentence, column, ~repair_citizen_id(pl.col(column)).str.contains(r"^[0-9]{12}$"))


def repair_citizen_id(text: pl.Expr) -> pl.Expr:
    """A citizen's number with the zeros put back that a spreadsheet dropped, and without blanks, dots or an apostrophe.

    >>> frame = pl.DataFrame({"id": ["45085012345", "'001085012345", "4.5085012345E+10", "4.5085E+10", "1085012345.0"]})
    >>> frame.select(repair_citizen_id(pl.col("id")))["id"].to_list()
    ['045085012345', '001085012345', '045085012345', '4.5085E+10', '001085012345']
    """
    bare = text.str.replace_all(r"[\s'’`\u{200b}\u{feff}\u{a0}]", "")
    exact = bare.str.contains(rf"^[0-9](?:\.[0-9]{{{_MIN_FLOAT_DIGITS - 1},}})?[eE]\+?1[01]$")
    number = pl.when(exact).then(bare).cast(pl.Float64, strict=False).cast(pl.Int64, strict=False).cast(pl.String)
    digits = pl.coalesce(
        number, bare.str.replace(r"^([0-9]+)[.,]0*$", "${1}").str.replace_all(r"([0-9])[.\-]([0-9])", "${1}${2}")
    )
    padded = pl.when(digits.str.contains(r"^[0-9]{10,12}$")).then(digits.str.zfill(12))
    return pl.coalesce(padded, bare)


def sift(frame: pl.DataFrame, checks: Sequence[Check], unique: str | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows that pass, and the others as a `REJECTED` frame."""
    good, refused = _split(frame, checks)
    if unique is None:
        return good, refused
    twin = Check(
        f"duplicate-id: the same '{unique}' stands in an earlier row", unique, ~pl.col(unique).is_first_distinct()
    )
    good, twins = _split(good, [twin])
    return good, pl.concat([refused, twins])


def _split(frame: pl.DataFrame, checks: Sequence[Check]) -> tuple[pl.DataFrame, pl.DataFrame]:
    if not checks:
        return frame, REJECTED.empty()
    first = pl.coalesce(pl.when(check.broken).then(pl.lit(i, pl.UInt16)) for i, check in enumerate(checks))
    why = frame.select(first.alias(_WHY))[_WHY]
    if why.null_count() == frame.height:
        return frame, REJECTED.empty()
    bad = frame.with_columns(why).filter(pl.col(_WHY).is_not_null())
    return frame.filter(why.is_null()), _as_rejected(bad, checks)


def _as_rejected(bad: pl.DataFrame, checks: Sequence[Check]) -> pl.DataFrame:
    blocks = [REJECTED.empty()]
    for (position,), rows in bad.group_by([_WHY], maintain_order=True):
        check = checks[int(str(position))]
        value = pl.col(check.column).str.slice(0, MAX_VALUE_SHOWN)
        blocks.append(
            rows.select(
                pl.col(PART).alias("file"),
                pl.col(ROW).alias("row"),
                pl.lit(check.column).alias("column"),
                value.alias("value"),
                pl.lit(check.reason).alias("reason"),
            )
        )
    return pl.concat(blocks)
