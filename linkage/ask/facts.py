"""What a line tells about its parcel, in the words of the protocol; the service masks it before a citizen sees it.

Rules
- The commune is the official name since 1 July 2025; the hamlet is that of the parcel, never a house number.
- Without the owner file (it is not kept in the run folder) land use, area and year are null, and the hamlet is the one
  that comparing used.
- The person named beside is the husband or wife, else the first other person of the line.
- The role is told as `owner` or `co_owner`: third and later persons are co-owners too.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from linkage.normalise.addresses import address_columns
from linkage.normalise.communes import name_of
from linkage.normalise.dates import date_columns
from linkage.normalise.encodings_columns import repair_columns
from linkage.normalise.text_expressions import distinct, fold_expression, plain

LONGEST_TEXT = 120
"""Characters; the protocol allows 500, a citizen's screen no more than this."""

_AREA = r"^[0-9]{1,9}(?:[.,][0-9]{1,4})?$"
_SEPARATORS = r"\s*[,;\n]\s*"


def _shortened(name: str) -> pl.Expr:
    return pl.col(name).str.slice(0, LONGEST_TEXT)


def _beside(mentions: pl.DataFrame) -> pl.DataFrame:
    """`mention` and the name of the person named beside."""
    people = mentions.filter(pl.col("kind") == "person").select("mention", "line", "name", "name_folded")
    own = mentions.select("mention", "line", "spouse_folded")
    pairs = own.join(people.rename({"mention": "other"}), on="line").filter(pl.col("mention") != pl.col("other"))
    married = (pl.col("name_folded") == pl.col("spouse_folded")).fill_null(value=False)
    ordered = pairs.sort("mention", ~married, "other")
    return ordered.group_by("mention", maintain_order=True).agg(co_owner_name=pl.col("name").first())


def _commune_names(codes: pl.Series) -> pl.DataFrame:
    found = [code for code in codes.unique().to_list() if code is not None]
    schema = {"parcel_commune": pl.String, "commune_name": pl.String}
    return pl.DataFrame([(code, name_of(code)) for code in found], schema=schema, orient="row")


def _hamlets(addresses: pl.Series) -> pl.DataFrame:
    """`raw` address → the part that names the hamlet, with its accents where the text has them."""
    raw = distinct(addresses).drop_nulls()
    texts = raw.with_columns(text=repair_columns(raw["raw"])["text"])
    read = address_columns(texts["text"].unique()).select(text="raw", folded="hamlet")
    found = texts.join(read, on="text", how="left").drop_nulls("folded")
    parts = found.with_columns(part=plain(pl.col("text")).str.replace_all(_SEPARATORS, "\x1f").str.split("\x1f"))
    parts = parts.explode("part", empty_as_null=True)
    same = fold_expression(pl.col("part")).str.strip_chars(" .") == pl.col("folded")
    own_words = parts.filter(same).unique("raw", keep="first").select("raw", words="part")
    return found.join(own_words, on="raw", how="left").select("raw", hamlet=pl.coalesce("words", "folded"))


def _area() -> pl.Expr:
    text = pl.col("area_m2").str.strip_chars()
    number = pl.when(text.str.contains(_AREA)).then(text.str.replace(",", ".", literal=True))
    area = number.cast(pl.Float64, strict=False)
    return pl.when(area > 0).then(area).alias("area_m2")


def of_lines(lines: pl.DataFrame, today: date) -> pl.DataFrame:
    """`owner_record_id` and what only the owner file tells: land use, area, year, the parcel's hamlet."""
    years = date_columns(lines["certificate_date"], today=today).select("raw", "certificate_year")
    told = lines.select("owner_record_id", "land_use_code", _area(), "certificate_date", "parcel_address")
    told = told.join(years, left_on="certificate_date", right_on="raw", how="left", nulls_equal=True)
    told = told.join(_hamlets(lines["parcel_address"]), left_on="parcel_address", right_on="raw", how="left")
    return told.select(
        "owner_record_id",
        pl.col("land_use_code").str.strip_chars().str.to_uppercase().str.slice(0, 20),
        "area_m2",
        pl.col("certificate_year").cast(pl.Int64),
        parcel_hamlet=_shortened("hamlet"),
    )


def nothing_more(places: pl.DataFrame) -> pl.DataFrame:
    """The shape of `of_lines` without an owner file."""
    return places.select(
        pl.col("owner_record_id").unique(),
        land_use_code=pl.lit(None, pl.String),
        area_m2=pl.lit(None, pl.Float64),
        certificate_year=pl.lit(None, pl.Int64),
        parcel_hamlet=pl.lit(None, pl.String),
    )


def facts(places: pl.DataFrame, mentions: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
    """`item_id` of each place with the columns of a parcel; `places` has `mention` too, `told` is of `of_lines`."""
    line_of = places.select("mention").join(mentions.select("mention", "line"), on="mention")
    around = mentions.join(line_of.select("line").unique(), on="line", how="semi")
    shown = places.join(
        mentions.select("mention", "parcel_code", "parcel_commune", "hamlet", "serial"), on="mention", how="left"
    )
    shown = shown.join(_commune_names(shown["parcel_commune"]), on="parcel_commune", how="left")
    shown = shown.join(_beside(around), on="mention", how="left").join(told, on="owner_record_id", how="left")
    return shown.select(
        "item_id",
        "owner_record_id",
        pl.col("parcel_code").str.slice(0, LONGEST_TEXT),
        "commune_name",
        pl.coalesce("parcel_hamlet", _shortened("hamlet")).alias("hamlet"),
        "land_use_code",
        "area_m2",
        certificate_serial=_shortened("serial"),
        certificate_year="certificate_year",
        co_owner_name=_shortened("co_owner_name"),
        role=pl.when(pl.col("role") == "owner").then(pl.lit("owner")).otherwise(pl.lit("co_owner")),
    )
