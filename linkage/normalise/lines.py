"""Owner lines → mentions: every person named on a line becomes one row with comparable values.

Rules
- The first person of `owner_name` is `owner`, the person of `co_owner_name` (or the second person of `owner_name`)
  is `co_owner`, all further ones `co_owner_2`, `co_owner_3`, …; a name repeated on the line is one person.
- A column's value stands above the same fact written inside the name.
- An organisation or a community is one mention that is not a person.
- Two persons are a couple where the line says so, or where a household line names a man and a woman.

One line `Hộ ông Nguyễn Văn A (đã chết) và vợ là bà Trần Thị B` gives two mentions: `owner` (M, deceased, spouse
`tran thi b`) and `co_owner` (F, spouse `nguyen van a`).
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from linkage.normalise.addresses import address_columns
from linkage.normalise.certificates import serial_columns
from linkage.normalise.communes import new_communes, resolve_commune
from linkage.normalise.dates import birth_columns
from linkage.normalise.encodings import repair
from linkage.normalise.identifiers import id_columns
from linkage.normalise.owner_text import parse_owner_column
from linkage.normalise.sexes import sex_columns
from linkage.schemas import MENTIONS

NOT_PERSONS = ("organisation", "community", "religious")
"""Kinds that never meet the population register."""

_SPOUSE_WORDS = ["wife", "husband", "spouse"]
_SPOUSE_ROLES = ["wife", "husband"]


def _parsed(lines: pl.DataFrame) -> pl.DataFrame:
    texts = pl.concat([lines["owner_name"].alias("raw"), lines["co_owner_name"].alias("raw")]).drop_nulls().unique()
    return parse_owner_column(texts)


def _people(lines: pl.DataFrame, parsed: pl.DataFrame, column: str, first: int, rest: int) -> pl.DataFrame:
    """The persons of one text column, with `place`: their order on the line."""
    texts = lines.select("line", raw=column).drop_nulls("raw").join(parsed, on="raw", how="left")
    people = texts.explode("persons", empty_as_null=True).with_columns(
        position=pl.int_range(pl.len(), dtype=pl.Int16).over("line")
    )
    return people.select(
        "line",
        "kind",
        "form",
        pl.lit(column).alias("source"),
        "position",
        pl.when(pl.col("position") == 0).then(first).otherwise(rest + pl.col("position")).alias("place"),
        pl.col("persons").struct.unnest(),
    )


def _one_per_line(people: pl.DataFrame) -> pl.DataFrame:
    """Organisations as one row, a repeated name once, roles by place."""
    not_person = pl.col("kind").is_in(NOT_PERSONS)
    kept = people.filter(~not_person | (pl.col("position") == 0)).sort("line", "place")
    again = pl.col("name_folded").is_not_null() & pl.struct("line", "name_folded").is_duplicated()
    first = pl.struct("line", "name_folded").is_first_distinct()
    kept = kept.filter(~again | first)
    rank = pl.int_range(pl.len(), dtype=pl.Int32).over("line")
    # A mention without a readable name beside a readable one is text left over, not a person.
    alone = pl.col("name_folded").is_not_null() | (pl.len().over("line") == 1) | (rank == 0)
    kept = kept.filter(alone).with_columns(rank=pl.int_range(pl.len(), dtype=pl.Int32).over("line"))
    role = (
        pl.when(pl.col("rank") == 0)
        .then(pl.lit("owner"))
        .when(pl.col("rank") == 1)
        .then(pl.lit("co_owner"))
        .otherwise(pl.format("co_owner_{}", pl.col("rank")))
    )
    return kept.with_columns(role=role)


def _columns_of(lines: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """The line's own columns beside each person: those of the owner, or those of the co-owner."""
    wanted = ["owner_birth", "owner_sex", "owner_id_no", "co_owner_birth", "co_owner_sex", "co_owner_id_no"]
    kept = ["owner_kind", "owner_role", "owner_address", "parcel_address", "parcel_code", "certificate_serial"]
    joined = people.join(lines.select("line", *wanted, *kept), on="line", how="left", maintain_order="left")
    owner = (pl.col("source") == "owner_name") & (pl.col("position") == 0)
    # The second person of a two-person text owns the co-owner's columns where no co-owner is named apart.
    second = ((pl.col("source") == "co_owner_name") & (pl.col("position") == 0)) | (
        (pl.col("source") == "owner_name") & (pl.col("rank") == 1)
    )
    picked = [
        pl.when(owner).then(pl.col(f"owner_{part}")).when(second).then(pl.col(f"co_owner_{part}")).alias(f"raw_{part}")
        for part in ("birth", "sex", "id_no")
    ]
    return joined.with_columns(picked).drop(wanted)


def _add(frame: pl.DataFrame, column: str, table: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    """Join the columns of a per-value table (`raw` → …) under new names."""
    chosen = table.select(pl.col("raw").alias(column), *[pl.col(old).alias(new) for old, new in names.items()])
    return frame.join(chosen, on=column, how="left", maintain_order="left")


def _distinct(frame: pl.DataFrame, *columns: str) -> pl.Series:
    return pl.concat([frame[column].alias("raw") for column in columns]).drop_nulls().unique()


def _identity(people: pl.DataFrame, sex_coding: Mapping[str, str] | None) -> pl.DataFrame:
    """Birth, sex and numbers: the column first, the text inside the name where the column says nothing."""
    births = birth_columns(_distinct(people, "raw_birth", "birth_text"))
    parts = ["birth_year", "birth_month", "birth_day"]
    out = people.rename({"birth_year": "text_year"})
    out = _add(out, "raw_birth", births, {part: part for part in parts})
    out = _add(out, "birth_text", births, {part: f"text_{part}" for part in parts})
    unknown = pl.col("birth_year").is_null()
    out = out.with_columns(
        [pl.when(unknown).then(pl.col(f"text_{part}")).otherwise(pl.col(part)).alias(part) for part in parts]
    ).with_columns(pl.coalesce("birth_year", "text_year").cast(pl.Int16))
    out = _add(out, "raw_sex", sex_columns(_distinct(people, "raw_sex"), sex_coding), {"sex": "column_sex"})
    out = out.with_columns(sex=pl.coalesce("column_sex", "sex"))
    ids = id_columns(_distinct(people, "raw_id_no", "id_no"))
    out = _add(out, "raw_id_no", ids, {"id12": "id12", "id9": "id9"})
    out = _add(out, "id_no", ids, {"id12": "text_id12", "id9": "text_id9"})
    return out.with_columns(id12=pl.coalesce("id12", "text_id12"), id9=pl.coalesce("id9", "text_id9"))


def _readable(addresses: pl.Series) -> pl.DataFrame:
    """Each distinct address beside its repaired text."""
    texts = addresses.to_list()
    return pl.DataFrame({"raw": addresses, "text": [repair(text).text for text in texts]}, schema_overrides={"text": pl.String})


def places(lines: pl.DataFrame, *, home_provinces: list[str] | None = None) -> pl.DataFrame:
    """Where each line's owner lives and where its parcel lies: `line`, `commune`, `parcel_commune`, `province`, `hamlet`."""
    texts = _readable(_distinct(lines, "owner_address", "parcel_address"))
    table = address_columns(texts["text"].unique(), home_provinces=home_provinces)
    table = texts.join(table.rename({"raw": "text"}), on="text", how="left")
    fields = {"commune_code": "commune", "province_code": "province", "hamlet": "hamlet"}
    out = lines.select("line", "owner_address", "parcel_address", "commune_code", "commune_code_vintage")
    out = _add(out, "owner_address", table, {**fields, "commune_candidates": "candidates"})
    out = _add(
        out, "parcel_address", table, {**{k: f"parcel_{v}" for k, v in fields.items()}, "commune_candidates": "parcel_candidates"}
    )
    hint = pl.coalesce("parcel_candidates", "candidates")
    resolved = resolve_commune(out["commune_code"], out["commune_code_vintage"], out.select(hint.alias("c"))["c"])
    out = out.with_columns(parcel_commune=pl.coalesce(resolved["commune_code"], "parcel_commune"))
    at_home = pl.col("commune").is_null() | (pl.col("commune") == pl.col("parcel_commune"))
    return out.select(
        "line",
        "commune",
        "parcel_commune",
        "province",
        hamlet=pl.coalesce("hamlet", pl.when(at_home).then(pl.col("parcel_hamlet"))),
    )


def _is_person(people: pl.DataFrame) -> pl.DataFrame:
    """The kind, from the text first; the line's own word counts where no personal field contradicts it."""
    said = pl.col("owner_kind").is_in(["organisation", "community"])
    bare = pl.col("id12").is_null() & pl.col("id9").is_null() & pl.col("birth_year").is_null() & (pl.col("place") == 0)
    kind = pl.when((pl.col("kind") == "person") & said & bare).then(pl.col("owner_kind")).otherwise(pl.col("kind"))
    return people.with_columns(kind=kind)


def _couples(people: pl.DataFrame) -> pl.DataFrame:
    """`mention`, `partner` for the couples named on one line or on two lines of one certificate and parcel."""
    person = people.filter((pl.col("kind") == "person") & pl.col("name_folded").is_not_null())
    slim = person.select("mention", "line", "rank", "relation", "form", "owner_kind", "owner_role", "sex", "parcel_code", "serial")
    two = slim.filter(pl.col("rank") == 0).join(slim.filter(pl.col("rank") == 1), on="line", suffix="_2")
    opposite = (pl.col("sex") != pl.col("sex_2")).fill_null(True)
    said = (
        (pl.col("owner_kind") == "couple")
        | (pl.col("form") == "couple")
        | pl.col("relation_2").is_in(_SPOUSE_WORDS)
        | pl.col("owner_role").is_in(_SPOUSE_ROLES)
    ).fill_null(False)
    household = pl.col("owner_kind").fill_null("household").is_in(["household", "individual"]) & (pl.col("form") != "co_ownership")
    same_line = two.filter(opposite & (said | household)).select("mention", partner="mention_2")
    lone = slim.filter(
        (pl.len().over("line") == 1)
        & (pl.col("owner_role").is_in(_SPOUSE_ROLES) | (pl.col("owner_kind") == "couple"))
        & pl.col("parcel_code").is_not_null()
        & pl.col("serial").is_not_null()
    )
    lone = lone.filter(pl.len().over("parcel_code", "serial") == 2)
    pair = lone.join(lone, on=["parcel_code", "serial"], suffix="_2").filter(pl.col("mention") < pl.col("mention_2"))
    apart = pair.filter((pl.col("sex") != pl.col("sex_2")).fill_null(True)).select("mention", partner="mention_2")
    both = pl.concat([same_line, apart])
    return pl.concat([both, both.select(mention="partner", partner="mention")]).unique("mention", keep="first", maintain_order=True)


def _spouses(people: pl.DataFrame) -> pl.DataFrame:
    names = people.select(
        partner="mention", spouse_folded="name_folded", spouse_sound="name_sound", spouse_given="given"
    )
    couples = _couples(people).join(names, on="partner", how="left")
    return people.join(couples.drop("partner"), on="mention", how="left", maintain_order="left")


def mentions(
    lines: pl.DataFrame, *, sex_coding: Mapping[str, str] | None = None, home_provinces: list[str] | None = None
) -> pl.DataFrame:
    """The `MENTIONS` table of owner lines (`OWNER_LINES`); rows in the order of lines, then of persons."""
    lines = lines.with_columns(line=pl.int_range(pl.len(), dtype=pl.Int32))
    parsed = _parsed(lines)
    people = pl.concat(
        [_people(lines, parsed, "owner_name", 0, 1), _people(lines, parsed, "co_owner_name", 1, 1000)],
        how="vertical_relaxed",
    )
    people = _columns_of(lines, _one_per_line(people))
    people = _is_person(_identity(people, sex_coding))
    people = _add(people, "certificate_serial", serial_columns(_distinct(people, "certificate_serial")), {"serial": "serial"})
    people = people.join(places(lines, home_provinces=home_provinces), on="line", how="left", maintain_order="left")
    people = people.with_columns(mention=pl.int_range(pl.len(), dtype=pl.Int32))
    people = _spouses(people).with_columns(
        province=pl.coalesce("province", province_of(pl.col("parcel_commune"))),
        deceased=pl.col("deceased").fill_null(False),
        representative=(pl.col("relation") == "representative").fill_null(False),
    )
    return MENTIONS.check(people)


def province_of(commune: pl.Expr) -> pl.Expr:
    """New province code of a new commune code."""
    provinces = {code: found.province_code for code, found in new_communes().items()}
    return commune.replace_strict(provinces, default=None, return_dtype=pl.String)
