"""Communes through the reorganisation of 1 July 2025: 10,035 old codes → 3,321 new ones.

Rules
- 3,316 new codes re-use an old code for another territory, so a code means something only with its vintage
  (`before-2025-07-01` or `from-2025-07-01`); without one the source's default stands.
- A commune that was split keeps all its successors as candidates; the default successor comes first.
- A code may have been given the wrong vintage. Every code on both lists names part of the same land, so this matters
  only for split communes, where the address on the same line decides, and for codes that one list lacks.
- Codes lose leading zeros in spreadsheets: `4` and `4.0` are `00004`.

`commune_flag`: ok · split · lost-zero · wrong-vintage (the address decided) · wrong-vintage? (only the other list has
the code) · unknown-code · empty.

>>> commune_columns(pl.Series(["19333", "19405"]), pl.Series(["before-2025-07-01", "from-2025-07-01"])).rows()
[('19333', ['19333'], 'ok'), ('19405', ['19405'], 'ok')]
>>> name_of("19333"), successors("19336")
('Phường Đông Hà', ('19351',))
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import polars as pl

from linkage.normalise.text_expressions import plain

BEFORE = "before-2025-07-01"
FROM = "from-2025-07-01"

_CODES = pl.List(pl.String)


@dataclass(frozen=True, slots=True)
class OldCommune:
    """A commune as it was until 30 June 2025; `successors` are new codes, the default first."""

    code: str
    kind: str
    name: str
    district_code: str
    district_kind: str
    district: str
    province_code: str
    province: str
    successors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NewCommune:
    """A commune, ward or special zone since 1 July 2025; its centre in degrees, WGS 84."""

    code: str
    kind: str
    name: str
    province_code: str
    province: str
    latitude: float
    longitude: float


@lru_cache(maxsize=1)
def old_communes() -> dict[str, OldCommune]:
    """Old code → commune."""
    rows = _rows("communes_before_2025_07_01.csv")
    return {row["code"]: OldCommune(**row | {"successors": tuple(row["successors"].split("|"))}) for row in rows}


@lru_cache(maxsize=1)
def new_communes() -> dict[str, NewCommune]:
    """New code → commune."""
    rows = _rows("communes_from_2025_07_01.csv")
    placed = (row | {name: float(row[name]) for name in ("latitude", "longitude")} for row in rows)
    return {row["code"]: NewCommune(**row) for row in placed}


def successors(old_code: str) -> tuple[str, ...]:
    """New codes of an old commune, the default first; none for an unknown code."""
    found = old_communes().get(old_code)
    return found.successors if found else ()


def name_of(new_code: str) -> str | None:
    """Kind and name of a new commune, or None."""
    found = new_communes().get(new_code)
    return f"{found.kind} {found.name}" if found else None


def province_of(commune: pl.Expr) -> pl.Expr:
    """New province code of a new commune code."""
    provinces = {code: found.province_code for code, found in new_communes().items()}
    return commune.replace_strict(provinces, default=None, return_dtype=pl.String)


def both_readings(code: str) -> tuple[tuple[str, ...], str | None]:
    """New codes of a code read as an old one, and the code itself where the new list has it."""
    return successors(code), code if code in new_communes() else None


def commune_columns(codes: pl.Series, vintage: pl.Series, *, default_vintage: str = BEFORE) -> pl.DataFrame:
    """One row per input row: `commune_code` (new), `commune_candidates` (new codes), `commune_flag`."""
    read = _readings(codes, vintage, default_vintage)
    return read.with_columns(_stated()).select("commune_code", "commune_candidates", "commune_flag")


def resolve_commune(
    codes: pl.Series,
    vintage: pl.Series,
    address_commune_candidates: pl.Series,
    *,
    default_vintage: str = BEFORE,
) -> pl.DataFrame:
    """As `commune_columns`, with the address's candidates to settle a wrong vintage or a split commune."""
    read = _readings(codes, vintage, default_vintage).with_columns(_stated())
    read = read.with_columns(address_commune_candidates.cast(_CODES).alias("_address"))
    agreed, other = (pl.col(name).list.set_intersection("_address") for name in ("commune_candidates", "_other"))
    wrong = (agreed.list.len() == 0) & (other.list.len() > 0)
    narrowed = (agreed.list.len() > 0) & (pl.col("commune_candidates").list.len() > 1)
    chosen = pl.when(wrong.fill_null(value=False)).then(other).when(narrowed.fill_null(value=False)).then(agreed)
    flag = pl.when(wrong.fill_null(value=False)).then(pl.lit("wrong-vintage")).otherwise("commune_flag")
    settled = read.with_columns(chosen.alias("_chosen"), flag.alias("commune_flag"))
    return settled.select(
        pl.coalesce(pl.col("_chosen").list.first(), "commune_code").alias("commune_code"),
        pl.coalesce("_chosen", "commune_candidates").alias("commune_candidates"),
        "commune_flag",
    )


def _rows(name: str) -> list[dict[str, Any]]:
    text = files("linkage.normalise").joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@lru_cache(maxsize=1)
def _lookup() -> pl.DataFrame:
    """Each code with both readings: `_as_old` (successors) and `_as_new` (the code alone), empty where unknown."""
    codes = sorted(old_communes() | dict.fromkeys(new_communes()))
    readings = {code: both_readings(code) for code in codes}
    return pl.DataFrame(
        {
            "_code": codes,
            "_as_old": [list(readings[code][0]) for code in codes],
            "_as_new": [[code] if readings[code][1] else [] for code in codes],
        },
        schema={"_code": pl.String, "_as_old": _CODES, "_as_new": _CODES},
    )


def code_expression(text: pl.Expr) -> pl.Expr:
    """Five digits of a code as written (`4`, `4.0`, `00004 - Trúc Bạch`), or null."""
    bare = plain(text).str.strip_chars(" '\"`").str.replace(r"^([0-9]+)[.,]0+$", "$1")
    leading, inside = r"^([0-9]{1,5})(?:[^0-9.,]|$)", r"(?:^|[^0-9])([0-9]{5})(?:[^0-9]|$)"
    return pl.coalesce(bare.str.extract(leading), bare.str.extract(inside)).str.pad_start(5, "0")


def _readings(codes: pl.Series, vintage: pl.Series, default_vintage: str) -> pl.DataFrame:
    """Both readings of each row's code, the stated one in `_mine`, the other in `_other`."""
    frame = pl.DataFrame({"_raw": codes.cast(pl.String), "_vintage": vintage.cast(pl.String)})
    stated = pl.col("_vintage").str.strip_chars().str.to_lowercase()
    known = pl.when(stated.is_in([BEFORE, FROM])).then(stated).otherwise(pl.lit(default_vintage))
    distinct = frame.select("_raw").unique().with_columns(code_expression(pl.col("_raw")).alias("_code"))
    distinct = distinct.join(_lookup(), on="_code", how="left", maintain_order="left")
    frame = frame.join(distinct, on="_raw", how="left", maintain_order="left", nulls_equal=True)
    before = known == BEFORE
    return frame.with_columns(
        pl.when(before).then("_as_old").otherwise("_as_new").alias("_mine"),
        pl.when(before).then("_as_new").otherwise("_as_old").alias("_other"),
    )


def _stated() -> list[pl.Expr]:
    """The stated reading, or the other where only that one knows the code."""
    lone = (pl.col("_mine").list.len() == 0) & (pl.col("_other").list.len() > 0)
    candidates = pl.when(lone).then("_other").otherwise("_mine")
    candidates = pl.when(candidates.list.len() > 0).then(candidates)
    empty = pl.col("_raw").is_null() | (pl.col("_raw").str.strip_chars() == "")
    digits = pl.col("_raw").str.extract(r"([0-9]+)").str.len_bytes()
    flag = (
        pl.when(empty)
        .then(pl.lit("empty"))
        .when(candidates.is_null())
        .then(pl.lit("unknown-code"))
        .when(lone)
        .then(pl.lit("wrong-vintage?"))
        .when(candidates.list.len() > 1)
        .then(pl.lit("split"))
        .when(digits < 5)
        .then(pl.lit("lost-zero"))
        .otherwise(pl.lit("ok"))
    )
    return [
        candidates.list.first().alias("commune_code"),
        candidates.alias("commune_candidates"),
        flag.alias("commune_flag"),
    ]
