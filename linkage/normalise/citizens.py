"""Register lines → citizens with comparable values.

Rules
- `kin` numbers a household; where the register names none, a couple that names each other.
- A deceased citizen stays a candidate: land is often still written under the name of the dead.
"""

from __future__ import annotations

import polars as pl

from linkage.normalise.addresses import address_columns
from linkage.normalise.communes import FROM, commune_columns, province_of
from linkage.normalise.dates import birth_columns
from linkage.normalise.identifiers import id_columns
from linkage.normalise.names import name_columns
from linkage.normalise.sexes import sex_columns
from linkage.schemas import CITIZENS

_NAME = ["name", "name_key", "name_folded", "name_sound", "surname", "given", "accented"]


def _join(frame: pl.DataFrame, column: str, table: pl.DataFrame) -> pl.DataFrame:
    return frame.join(table.rename({"raw": column}), on=column, how="left", maintain_order="left")


def _distinct(frame: pl.DataFrame, column: str) -> pl.Series:
    return frame[column].drop_nulls().unique().alias("raw")


def _kin() -> pl.Expr:
    """One number for a household, else for a couple, else null."""
    couple = pl.when(pl.col("spouse_citizen_id").is_not_null()).then(
        pl.concat_str(
            pl.min_horizontal("citizen_id", "spouse_citizen_id"), pl.max_horizontal("citizen_id", "spouse_citizen_id")
        )
    )
    group = pl.coalesce("household_id", couple)
    return pl.when(group.is_not_null()).then(group.rank("dense")).cast(pl.Int32)


def citizens(lines: pl.DataFrame, *, home_provinces: list[str] | None = None) -> pl.DataFrame:
    """The `CITIZENS` table of register lines (`CITIZEN_LINES`), in the order read."""
    out = lines.with_columns(
        id=pl.int_range(pl.len(), dtype=pl.Int32), kin=_kin(), id12=pl.col("citizen_id"), raw_sex=pl.col("sex")
    ).drop("sex")
    names = name_columns(pl.concat([_distinct(lines, "full_name"), _distinct(lines, "spouse_name")]).unique())
    out = _join(out, "full_name", names.select("raw", *_NAME))
    spouse = names.select(
        "raw", spouse_folded="name_folded", spouse_sound="name_sound", spouse_given="given"
    )
    out = _join(out, "spouse_name", spouse)
    births = birth_columns(_distinct(lines, "birth_date"))
    out = _join(out, "birth_date", births.select("raw", "birth_year", "birth_month", "birth_day"))
    out = _join(out, "raw_sex", sex_columns(lines["sex"].drop_nulls().unique(), None).select("raw", "sex"))
    out = _join(out, "former_id_no", id_columns(_distinct(lines, "former_id_no")).select("raw", "id9"))
    places = address_columns(_distinct(lines, "address"), home_provinces=home_provinces)
    out = _join(out, "address", places.select("raw", "hamlet", address_commune="commune_code"))
    communes = commune_columns(out["commune_code"], out["commune_code_vintage"], default_vintage=FROM)
    commune = pl.coalesce(communes["commune_code"], out["address_commune"])
    out = out.with_columns(out.select(commune.alias("commune")))
    return CITIZENS.check(
        out.with_columns(
            province=province_of(pl.col("commune")),
            alive=(pl.col("status") != "deceased").fill_null(True),
        )
    )
