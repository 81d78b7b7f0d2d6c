"""Register lines → citizens with comparable values.

Rules
- `kin` numbers a household; where the register names none, a couple that names each other.
- Every distinct value is read once.
- A deceased citizen stays a candidate: land is often still written under the name of the dead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from linkage.normalise.addresses import address_columns
from linkage.normalise.communes import FROM, commune_columns, province_of
from linkage.normalise.dates import LATEST_BIRTH_YEAR, birth_columns
from linkage.normalise.identifiers import id_columns
from linkage.normalise.names import name_columns
from linkage.normalise.sexes import sex_columns
from linkage.schemas import CITIZENS

COLUMNS_READ: Final = (
    "citizen_id", "full_name", "former_id_no", "birth_date", "sex", "commune_code", "commune_code_vintage", "address",
    "spouse_name", "spouse_citizen_id", "household_id", "status",
)  # fmt: skip
"""The columns of `CITIZEN_LINES` that are looked at; a caller short of memory need read no other."""

_NAME: Final = ["name", "name_key", "name_folded", "name_sound", "surname", "given", "accented"]
_SPOUSE: Final = {"name_folded": "spouse_folded", "name_sound": "spouse_sound", "given": "spouse_given"}


def _looked_up(values: pl.Series, table: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """The columns of a table of distinct values (`raw`, …) for each value."""
    return (
        values.alias("raw")
        .to_frame()
        .join(table.select("raw", *columns), on="raw", how="left", maintain_order="left")
        .drop("raw")
    )


def _distinct(*columns: pl.Series) -> pl.Series:
    return pl.concat([column.alias("raw") for column in columns]).drop_nulls().unique()


def _kin() -> pl.Expr:
    """One number for a household, else for a couple, else null."""
    couple = pl.when(pl.col("spouse_citizen_id").is_not_null()).then(
        pl.concat_str(
            pl.min_horizontal("citizen_id", "spouse_citizen_id"), pl.max_horizontal("citizen_id", "spouse_citizen_id")
        )
    )
    group = pl.coalesce("household_id", couple)
    return pl.when(group.is_not_null()).then(group.rank("dense")).cast(pl.Int32)


def _named(lines: pl.DataFrame) -> pl.DataFrame:
    names = name_columns(_distinct(lines["full_name"], lines["spouse_name"]))
    spouse = _looked_up(lines["spouse_name"], names, *_SPOUSE).rename(_SPOUSE)
    return _looked_up(lines["full_name"], names, *_NAME).hstack(spouse)


def _places(lines: pl.DataFrame, home_provinces: Sequence[str] | None) -> pl.DataFrame:
    """`commune` by its code, else by the address; `province`; `hamlet` by its name alone, as in `lines`."""
    table = address_columns(_distinct(lines["address"]), home_provinces=home_provinces)
    read = _looked_up(lines["address"], table, "hamlet_name", "commune_code")
    asked = lines.select("commune_code", "commune_code_vintage")
    codes = asked.unique()
    by_code = commune_columns(codes["commune_code"], codes["commune_code_vintage"], default_vintage=FROM)[
        "commune_code"
    ]
    known = asked.join(
        codes.with_columns(by_code.alias("commune")),
        on=asked.columns,
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    return known.select(pl.coalesce("commune", read["commune_code"]).alias("commune")).with_columns(
        province=province_of(pl.col("commune")), hamlet=read["hamlet_name"]
    )


def citizens(
    lines: pl.DataFrame,
    *,
    sex_coding: Mapping[str, str] | None = None,
    home_provinces: Sequence[str] | None = None,
    latest_birth_year: int = LATEST_BIRTH_YEAR,
) -> pl.DataFrame:
    """The `CITIZENS` table of register lines (`CITIZEN_LINES`), in the order read.

    `latest_birth_year`: births after it are impossible.
    """
    lines = lines.select(COLUMNS_READ)
    births = birth_columns(_distinct(lines["birth_date"]), latest_year=latest_birth_year)
    numbers = id_columns(_distinct(lines["former_id_no"]), latest_birth_year=latest_birth_year)
    own = lines.select(
        "citizen_id",
        "status",
        id=pl.int_range(pl.len(), dtype=pl.Int32),
        kin=_kin(),
        id12=pl.col("citizen_id"),
        alive=(pl.col("status") != "deceased").fill_null(value=True),
    )
    parts = [
        own,
        _named(lines),
        _looked_up(lines["birth_date"], births, "birth_year", "birth_month", "birth_day"),
        _looked_up(lines["sex"], sex_columns(_distinct(lines["sex"]), sex_coding), "sex"),
        _looked_up(lines["former_id_no"], numbers, "id9"),
        _places(lines, home_provinces),
    ]
    return CITIZENS.check(pl.concat(parts, how="horizontal"))
