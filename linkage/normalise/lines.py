"""Owner lines → mentions: every person named on a line becomes one row with comparable values.

Rules
- The first person of `owner_name` is `owner`, the person of `co_owner_name` (or the second person of `owner_name`)
  is `co_owner`, all further ones `co_owner_2`, `co_owner_3`, …; a name repeated on the line is one person.
- A column's value stands above the same fact written inside the name.
- An organisation or a community is one mention that is not a person.
- Two persons are a couple where the line says so, or where a household line names a man and a woman; see `couples`.
- A hamlet is compared by its name alone: "thôn 3" of one paper is "xóm 3" or "tổ 3" of another.
- Every distinct value is read once. Until the table is put together a mention is four numbers: its line, the row of
  its person among all persons read, its place on the line and its rank.

One line `Hộ ông Nguyễn Văn A (đã chết) và vợ là bà Trần Thị B` gives two mentions: `owner` (M, deceased, spouse
`tran thi b`) and `co_owner` (F, spouse `nguyen van a`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Final

import polars as pl

from linkage.normalise.addresses import address_columns
from linkage.normalise.certificates import serial_columns
from linkage.normalise.communes import province_of, resolve_commune
from linkage.normalise.couples import couples
from linkage.normalise.dates import LATEST_BIRTH_YEAR, birth_columns
from linkage.normalise.encodings_columns import repair_columns
from linkage.normalise.identifiers import id_columns
from linkage.normalise.owner_text import OwnerTables, owner_tables
from linkage.normalise.sexes import sex_columns
from linkage.schemas import MENTIONS

NOT_PERSONS = ("organisation", "community", "religious")
"""Kinds that never meet the population register."""

COLUMNS_READ: Final = (
    "owner_name", "owner_birth", "owner_sex", "owner_id_no", "owner_address", "owner_kind", "owner_role",
    "co_owner_name", "co_owner_birth", "co_owner_sex", "co_owner_id_no",
    "commune_code", "commune_code_vintage", "parcel_address", "parcel_code", "certificate_serial",
)  # fmt: skip
"""The columns of `OWNER_LINES` that are looked at; a caller short of memory need read no other."""

_FURTHER: Final = 1000  # place of the second person of a co-owner's cell: after all persons of the owner's cell
_SAME_NAME: Final = ["name", "name_key", "name_folded", "name_sound", "surname", "given", "accented"]


def _gathered(table: pl.DataFrame, rows: pl.Series, *columns: str) -> pl.DataFrame:
    """Rows of a table by number; null numbers give nulls."""
    return table.select(pl.col(name).gather(rows) for name in columns)


def _looked_up(values: pl.Series, table: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """The columns of a table of distinct values (`raw`, …) for each value."""
    chosen = table.select("raw", *columns)
    return values.alias("raw").to_frame().join(chosen, on="raw", how="left", maintain_order="left").drop("raw")


def _distinct(*columns: pl.Series) -> pl.Series:
    return pl.concat([column.alias("raw") for column in columns]).drop_nulls().unique()


# ---- who stands on a line ------------------------------------------------------------------------------------------


def _people(texts: pl.Series, tables: OwnerTables, first: int, rest: int) -> pl.DataFrame:
    """The persons of one text column: `line`, `cell`, `person` (null where a cell names none), `position`, `place`."""
    named = (
        texts.alias("raw").to_frame().select(pl.int_range(pl.len(), dtype=pl.Int32).alias("line"), "raw").drop_nulls()
    )
    cells = named.select("line").hstack(_looked_up(named["raw"], tables.raw, "cell"))
    cells = cells.hstack(_gathered(tables.cells, cells["cell"], "first", "size"))
    rows = cells.with_columns(position=pl.int_ranges(pl.col("size").clip(1), dtype=pl.Int16)).explode(
        "position", empty_as_null=True
    )
    return rows.select(
        "line",
        "cell",
        pl.when(pl.col("size") > 0).then(pl.col("first") + pl.col("position").cast(pl.UInt32)).alias("person"),
        "position",
        pl.when(pl.col("position") == 0).then(first).otherwise(rest + pl.col("position")).cast(pl.Int16).alias("place"),
    )


def _ranked(people: pl.DataFrame) -> pl.DataFrame:
    """`rank`: the order on its line, of rows that are sorted by line."""
    row = pl.int_range(pl.len(), dtype=pl.Int32)
    begins = pl.col("line") != pl.col("line").shift(1)
    return people.with_columns(rank=row - pl.when(begins.fill_null(value=True)).then(row).forward_fill())


def _one_per_line(people: pl.DataFrame, tables: OwnerTables) -> pl.DataFrame:
    """Organisations as one row, a repeated name once, in the order of lines and places, with `rank`."""
    not_person = tables.cells["kind"].is_in(NOT_PERSONS).gather(people["cell"])
    kept = people.filter(~not_person | (people["position"] == 0)).sort("line", "place")
    names = tables.persons["name_folded"].rank("dense").cast(pl.Int64).gather(kept["person"])
    key = kept["line"].cast(pl.Int64) * (tables.persons.height + 1) + names
    kept = _ranked(kept.filter(key.is_null() | key.is_first_distinct()))
    # A mention without a readable name beside a readable one is text left over, not a person.
    named = tables.persons["name_folded"].is_not_null().gather(kept["person"]).fill_null(value=False)
    return _ranked(kept.filter(named | (kept["rank"] == 0)))


def _mentioned(lines: pl.DataFrame, tables: OwnerTables) -> pl.DataFrame:
    """One row per mention: `line`, `cell`, `person`, `rank`, `first` on its line, and whose `columns` are its own."""
    owners = _people(lines["owner_name"], tables, 0, 1).with_columns(apart=pl.lit(value=False))
    others = _people(lines["co_owner_name"], tables, 1, _FURTHER).with_columns(apart=pl.lit(value=True))
    people = _one_per_line(pl.concat([owners, others]), tables)
    lead = pl.col("position") == 0
    # The second person of a two-person text owns the co-owner's columns where no co-owner is named apart.
    second = (pl.col("apart") & lead) | (~pl.col("apart") & (pl.col("rank") == 1))
    columns = pl.when(~pl.col("apart") & lead).then(pl.lit("owner")).when(second).then(pl.lit("co_owner"))
    return people.select("line", "cell", "person", "rank", pl.col("place") == 0, columns=columns)


# ---- what is known of each -----------------------------------------------------------------------------------------


def _own(lines: pl.DataFrame, people: pl.DataFrame, part: str) -> pl.Series:
    """One field of each mention as its line's columns have it."""
    picked = people.select(
        pl.when(pl.col("columns") == whose).then(lines[f"{whose}_{part}"].gather(people["line"])).alias(whose)
        for whose in ("owner", "co_owner")
    )
    return picked.select(pl.coalesce("owner", "co_owner").alias("raw")).to_series()


def _births(raw: pl.Series, told: pl.DataFrame, latest_year: int) -> pl.DataFrame:
    """Day, month and year: of the column, else of the text."""
    parts = ["birth_year", "birth_month", "birth_day"]
    table = birth_columns(_distinct(raw, told["birth_text"]), latest_year=latest_year)
    out, text = _looked_up(raw, table, *parts), _looked_up(told["birth_text"], table, *parts)
    unknown = out["birth_year"].is_null()
    out = pl.DataFrame([text[part].zip_with(unknown, out[part]) for part in parts])
    return out.with_columns(birth_year=pl.coalesce("birth_year", told["birth_year"]).cast(pl.Int16))


def _sexes(raw: pl.Series, told: pl.DataFrame, coding: Mapping[str, str] | None) -> pl.DataFrame:
    found = _looked_up(raw, sex_columns(_distinct(raw), coding), "sex")
    return found.select(pl.coalesce("sex", told["sex"]).alias("sex"))


def _numbers(raw: pl.Series, told: pl.DataFrame, latest_year: int) -> pl.DataFrame:
    table = id_columns(_distinct(raw, told["id_no"]), latest_birth_year=latest_year).select("raw", "id12", "id9")
    text = _looked_up(told["id_no"], table, "id12", "id9")
    return _looked_up(raw, table, "id12", "id9").select(pl.coalesce(name, text[name]) for name in ("id12", "id9"))


def _identity(
    lines: pl.DataFrame, people: pl.DataFrame, persons: pl.DataFrame, coding: Mapping[str, str] | None, latest_year: int
) -> pl.DataFrame:
    """Birth, sex and numbers: the column first, the text inside the name where the column says nothing."""
    told = _gathered(persons, people["person"], "birth_year", "birth_text", "sex", "id_no")
    return pl.concat(
        [
            _births(_own(lines, people, "birth"), told, latest_year),
            _sexes(_own(lines, people, "sex"), told, coding),
            _numbers(_own(lines, people, "id_no"), told, latest_year),
        ],
        how="horizontal",
    )


def _kinds(lines: pl.DataFrame, people: pl.DataFrame, identity: pl.DataFrame, cells: pl.DataFrame) -> pl.Series:
    """The kind, from the text first; the line's own word counts where no personal field contradicts it."""
    said = pl.DataFrame(
        {"kind": cells["kind"].gather(people["cell"]), "said": lines["owner_kind"].gather(people["line"])}
    )
    bare = identity.select(pl.all_horizontal(pl.col("id12", "id9", "birth_year").is_null())).to_series()
    other = pl.col("said").is_in(["organisation", "community"]) & (bare & people["place"])
    return said.select(
        pl.when((pl.col("kind") == "person") & other).then(pl.col("said")).otherwise(pl.col("kind")).alias("kind")
    ).to_series()


# ---- where it is ---------------------------------------------------------------------------------------------------


def _address_table(lines: pl.DataFrame, home_provinces: Sequence[str] | None) -> pl.DataFrame:
    """Each distinct address (`raw`) with the fields of `address_columns`, read from its repaired text."""
    raw = _distinct(lines["owner_address"], lines["parcel_address"])
    texts = pl.DataFrame({"raw": raw, "text": repair_columns(raw)["text"]})
    table = address_columns(texts["text"].unique(), home_provinces=home_provinces).rename({"raw": "text"})
    return texts.join(table, on="text", how="left", maintain_order="left")


def _parcel_communes(lines: pl.DataFrame, candidates: pl.Series, hints: pl.Series) -> pl.Series:
    """The parcel's commune by its code; each triple of code, vintage and row of `candidates` is judged once."""
    asked = lines.select("commune_code", "commune_code_vintage").with_columns(hint=hints)
    triples = asked.unique()
    resolved = resolve_commune(
        triples["commune_code"], triples["commune_code_vintage"], candidates.gather(triples["hint"])
    )["commune_code"]
    found = asked.join(
        triples.with_columns(resolved.alias("found")),
        on=asked.columns,
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    return found["found"]


def places(lines: pl.DataFrame, *, home_provinces: Sequence[str] | None = None) -> pl.DataFrame:
    """Row by row where the owner lives and the parcel lies: `commune`, `parcel_commune`, `province`, `hamlet`."""
    table = _address_table(lines, home_provinces).with_row_index("address")
    # Lists of candidates repeat: each is numbered by its first row.
    table = table.with_columns(
        pl.when(pl.col("commune_candidates").is_not_null())
        .then(pl.col("address").first().over(pl.col("commune_candidates").list.join("|")))
        .alias("hint")
    )
    owner, parcel = (
        _looked_up(lines[f"{whose}_address"], table, "address")["address"] for whose in ("owner", "parcel")
    )
    fields = {"commune_code": "commune", "province_code": "province", "hamlet_name": "hamlet", "hint": "hint"}
    lives = _gathered(table, owner, *fields).rename(fields)
    lies = _gathered(table, parcel, *fields).rename({old: f"parcel_{new}" for old, new in fields.items()})
    out = pl.concat([lives, lies], how="horizontal")
    hints = out.select(pl.coalesce("parcel_hint", "hint")).to_series()
    by_code = _parcel_communes(lines, table["commune_candidates"], hints)
    out = out.with_columns(parcel_commune=pl.coalesce(by_code, "parcel_commune"))
    at_home = pl.col("commune").is_null() | (pl.col("commune") == pl.col("parcel_commune"))
    return out.select(
        "commune",
        "parcel_commune",
        "province",
        hamlet=pl.coalesce("hamlet", pl.when(at_home).then(pl.col("parcel_hamlet"))),
    )


def _papers_and_places(lines: pl.DataFrame, home_provinces: Sequence[str] | None) -> pl.DataFrame:
    """What needs no names: `places` with the province of the parcel where none is named, and the `serial`."""
    table = serial_columns(_distinct(lines["certificate_serial"]))
    serial = _looked_up(lines["certificate_serial"], table, "serial")
    found = places(lines, home_provinces=home_provinces).hstack(serial)
    return found.with_columns(province=pl.coalesce("province", province_of(pl.col("parcel_commune"))))


# ---- the table -----------------------------------------------------------------------------------------------------


def _couple_rows(lines: pl.DataFrame, people: pl.DataFrame, known: pl.DataFrame, tables: OwnerTables) -> pl.DataFrame:
    """Mentions with what `couples` asks for."""
    about = people.select("rank").hstack(known.select("sex", "serial", "kind"))
    about = about.hstack(_gathered(tables.persons, people["person"], "name_folded", "relation"))
    about = about.with_columns(pl.when(pl.col("kind") == "person").then("name_folded")).drop("kind")
    about = about.hstack(_gathered(tables.cells, people["cell"], "form"))
    return about.hstack(_gathered(lines, people["line"], "owner_kind", "owner_role", "parcel_code"))


def _spouses(pairs: pl.DataFrame, persons: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """Row by row the name of the partner, null for mentions without one."""
    partner = pl.repeat(None, people.height, dtype=pl.UInt32, eager=True)
    partner = partner.scatter(pairs["mention"], people["person"].gather(pairs["partner"]))
    names = {"name_folded": "spouse_folded", "name_sound": "spouse_sound", "given": "spouse_given"}
    return _gathered(persons, partner, *names).rename(names)


def _roles(rank: pl.Series) -> pl.Series:
    """`owner`, `co_owner`, `co_owner_2`, … by rank."""
    names = (
        rank.unique()
        .to_frame()
        .select(
            "rank",
            pl.when(pl.col("rank") == 0)
            .then(pl.lit("owner"))
            .when(pl.col("rank") == 1)
            .then(pl.lit("co_owner"))
            .otherwise(pl.format("co_owner_{}", pl.col("rank")))
            .alias("role"),
        )
    )
    return rank.to_frame().join(names, on="rank", how="left", maintain_order="left")["role"]


def mentions(
    lines: pl.DataFrame,
    *,
    sex_coding: Mapping[str, str] | None = None,
    home_provinces: Sequence[str] | None = None,
    latest_birth_year: int = LATEST_BIRTH_YEAR,
    helper: Executor | None = None,
) -> pl.DataFrame:
    """The `MENTIONS` table of owner lines (`OWNER_LINES`); rows in the order of lines, then of persons.

    `latest_birth_year`: births after it are impossible. `helper`: another process that reads a share of many cells.
    """
    lines = lines.select(COLUMNS_READ)
    # Names keep one core busy with Python; papers and places are mostly Polars' own work on the other.
    with ThreadPoolExecutor(max_workers=1) as beside:
        elsewhere = beside.submit(_papers_and_places, lines, home_provinces)
        tables = owner_tables(_distinct(lines["owner_name"], lines["co_owner_name"]), helper).without_remarks()
    people = _mentioned(lines, tables)
    known = _identity(lines, people, tables.persons, sex_coding, latest_birth_year)
    known = known.with_columns(_kinds(lines, people, known, tables.cells).alias("kind"))
    where = elsewhere.result()
    known = known.with_columns(where["serial"].gather(people["line"]))
    pairs = couples(_couple_rows(lines, people, known, tables))
    persons = tables.persons
    told = _gathered(persons, people["person"], *_SAME_NAME, "deceased", "relation")
    out = pl.concat(
        [
            people.select(pl.int_range(pl.len(), dtype=pl.Int32).alias("mention"), "line", _roles(people["rank"])),
            told,
            known,
            where.select(pl.exclude("serial").gather(people["line"])),
            _spouses(pairs, persons, people),
        ],
        how="horizontal",
    )
    # An address stands for the first person and the spouse; heirs and other co-owners often live elsewhere.
    elsewhere_too = (pl.col("role") != "owner") & pl.col("spouse_folded").is_null()
    return MENTIONS.check(
        out.with_columns(
            *[pl.when(~elsewhere_too).then(pl.col(name)).alias(name) for name in ("commune", "hamlet")],
            parcel_code=lines["parcel_code"].gather(people["line"]),
            deceased=pl.col("deceased").fill_null(value=False),
            representative=(pl.col("relation") == "representative").fill_null(value=False),
        )
    )
