"""A finished run as plain rows for the service: accepted parcels, people's status, links that an officer must settle.

Rules
- The run is read as it lies: `links.parquet` (after `learn`: with what citizens settled), the owner lines and the
  register extract it was made from. Other files than those are refused by their hashes.
- Accepted are links with decision `link` whose citizen is not dead by the extract. A line's parcel without a code is
  named by map sheet and number.
- Residential is a parcel one of whose land use codes is in the settings' list: `ONT+CLN` holds `ONT`.
- A minor is under 18 today; where only the year of birth is known, whoever may still be under 18.
- Rows come in the order of line and role, so that a stopped acceptance goes on where it stopped.

>>> is_residential(pl.DataFrame({"c": ["ONT+CLN", "ont 200; LUC", "CLN", "PONT", None]})["c"], ["ONT", "ODT"]).to_list()
[True, True, False, False, None]
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from confirm_api.office.acceptance import Parcel, Person, Review
from linkage.config import Config
from linkage.decide.decisions import REASONS
from linkage.normalise.communes import name_of
from linkage.normalise.dates import birth_columns
from linkage.normalise.lines import places
from linkage.outputs.durable import sha256_of
from linkage.pipeline import sha256_of_input
from linkage.sources.mapping import mapping_of
from linkage.sources.reading import read_citizens, read_owners
from quychu.errors import QuychuError

BATCH: Final = 20_000
ADULT_YEARS: Final = 18
LONGEST_TEXT: Final = 500
_STATUS: Final = ("alive", "deceased", "emigrated")


class AcceptanceError(QuychuError):
    """A run that cannot be taken over."""

    code = "acceptance"


@dataclass(frozen=True)
class RunRows:
    """What a run hands over; the iterators may be begun once."""

    run_hash: str
    parcels: Iterator[list[Parcel]]
    people: Iterator[list[Person]]
    reviews: Iterator[list[Review]]
    totals: Mapping[str, int]


def read_run(
    run: Path, owners: Path, citizens: Path, config: Config, *, residential: Sequence[str], today: date
) -> RunRows:
    """Read a finished run and the two files it was made from."""
    links_hash = _check(run, owners, citizens)
    register = _register(read_citizens(citizens, mapping_of(config.sources.citizens)).lines, today)
    links = pl.read_parquet(run / "links.parquet").filter(pl.col("decision").is_in(["link", "review"]))
    lines = read_owners(owners, mapping_of(config.sources.owners)).lines
    lines = lines.join(links, on="owner_record_id", how="semi")
    found = _with_facts(links, lines, register, residential)
    accepted = found.filter(pl.col("decision") == "link", pl.col("status") != "deceased")
    reviews = _with_communes(found.filter(pl.col("decision") == "review"), lines, config)
    return RunRows(
        run_hash=hashlib.sha256("\n".join([links_hash, *sorted(residential)]).encode()).hexdigest(),
        parcels=_batches(accepted.select(Parcel._fields), Parcel),
        people=_batches(register.select(Person._fields), Person),
        reviews=_reviews(reviews),
        totals={"parcels": accepted.height, "people": register.height, "reviews": reviews.height},
    )


def is_residential(codes: pl.Series, residential: Sequence[str]) -> pl.Series:
    """Does a land use code, single or composite, hold one of these? Null where it is not known."""
    words = codes.str.to_uppercase().str.extract_all(r"[A-ZĐ]+")
    return words.list.set_intersection(list(residential)).list.len() > 0


# ---- the run -------------------------------------------------------------------------------------------------------


def _check(run: Path, owners: Path, citizens: Path) -> str:
    """The hash of the links; AcceptanceError where the run is not finished or was made from other files."""
    manifest, links = run / "run.json", run / "links.parquet"
    if not (manifest.is_file() and links.is_file()):
        raise AcceptanceError(f"{run.name}: expected run.json and links.parquet of a finished run; run 'quychu link'.")
    inputs = json.loads(manifest.read_text(encoding="utf-8"))["inputs"]
    for role, path in (("owners", owners), ("citizens", citizens)):
        if _hash_of(inputs, role) != sha256_of_input(path):
            raise AcceptanceError(f"{path.name}: expected the {role} file that the run was made from, found another.")
    return sha256_of(links)


def _hash_of(inputs: Any, role: str) -> str | None:
    found = inputs.get(role) if isinstance(inputs, dict) else next((i for i in inputs if i["role"] == role), None)
    return None if found is None else found["sha256"]


def _register(citizens: pl.DataFrame, today: date) -> pl.DataFrame:
    births = birth_columns(citizens["birth_date"].unique(), latest_year=today.year)
    told = citizens.select("citizen_id", "birth_date", "status").join(
        births, left_on="birth_date", right_on="raw", how="left", nulls_equal=True
    )
    status = pl.col("status").str.strip_chars().str.to_lowercase()
    known = pl.when(status.is_in(_STATUS)).then(status).otherwise(pl.lit("alive"))
    return told.select(
        "citizen_id",
        status=pl.when((known == "alive") & _is_minor(today)).then(pl.lit("minor")).otherwise(known),
    )


def _is_minor(today: date) -> pl.Expr:
    """Under 18 today; a missing month or day may be the last of its year or month."""
    month, day = pl.col("birth_month").fill_null(12).cast(pl.Int32), pl.col("birth_day").fill_null(31).cast(pl.Int32)
    born = pl.col("birth_year").cast(pl.Int32) * 10_000 + month * 100 + day
    adult_from = (today.year - ADULT_YEARS) * 10_000 + today.month * 100 + today.day
    return (born > adult_from).fill_null(value=False)


def _with_facts(
    links: pl.DataFrame, lines: pl.DataFrame, register: pl.DataFrame, residential: Sequence[str]
) -> pl.DataFrame:
    """Each link with its parcel's facts and its citizen's status, in the order of line and role."""
    told = lines.select(
        "owner_record_id",
        _cut("owner_name"),
        parcel_code=_named_parcel(),
        address=_cut("parcel_address"),
        certificate_serial=_cut("certificate_serial"),
        residential=is_residential(lines["land_use_code"], residential).fill_null(value=False),
    )
    owner = pl.when(pl.col("role") == "owner").then(pl.lit("owner")).otherwise(pl.lit("co_owner"))
    return (
        links.join(told, on="owner_record_id")
        .join(register, on="citizen_id")
        .sort("owner_record_id", "role")
        .with_columns(line=pl.format("{}/{}", "owner_record_id", "role"), role=owner)
    )


def _named_parcel() -> pl.Expr:
    """The parcel's code, else its place on the map; never null, as a residence proof names every parcel."""
    place = pl.concat_str(
        pl.format("tờ {}", "map_sheet_no"), pl.format("thửa {}", "parcel_no"), separator=", ", ignore_nulls=True
    )
    return pl.coalesce("parcel_code", place, pl.lit("")).str.slice(0, LONGEST_TEXT)


def _cut(column: str) -> pl.Expr:
    return pl.col(column).str.slice(0, LONGEST_TEXT)


def _with_communes(reviews: pl.DataFrame, lines: pl.DataFrame, config: Config) -> pl.DataFrame:
    """The name of each parcel's commune, which decides whose officers see it."""
    theirs = lines.join(reviews, on="owner_record_id", how="semi")
    found = places(theirs, home_provinces=list(config.run.home_provinces))["parcel_commune"]
    names = {code: name_of(code) for code in found.unique().to_list() if code is not None}
    told = theirs.select("owner_record_id", commune=found.replace_strict(names, default=None, return_dtype=pl.String))
    return reviews.join(told, on="owner_record_id", how="left", maintain_order="left")


# ---- rows ----------------------------------------------------------------------------------------------------------


def _batches(frame: pl.DataFrame, kind: Any) -> Iterator[list[Any]]:
    for part in frame.iter_slices(BATCH):
        yield [kind._make(row) for row in part.iter_rows()]


def _reviews(frame: pl.DataFrame) -> Iterator[list[Review]]:
    for part in frame.iter_slices(BATCH):
        yield [_review(row) for row in part.iter_rows(named=True)]


def _review(row: Mapping[str, Any]) -> Review:
    parcel = {name: row[name] for name in ("parcel_code", "address", "certificate_serial", "role", "residential")}
    reason = REASONS.get(row["reason"], (row["reason"], row["reason"]))[1]
    content = {
        "owner_name": row["owner_name"],
        "decision_reason": reason,
        "match_probability": round(row["match_probability"], 3),
        "parcel": parcel,
    }
    return Review(row["citizen_id"], row["line"], row["commune"], content)
