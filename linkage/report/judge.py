"""Links laid beside the truth: each named person right, wrong (and how) or missed.

Rules
- A row of links and a row of truth are the same person on a line if `owner_record_id` and `role` are equal.
- *Linked* means decision `link` with a citizen. A link is right only if truth names that very citizen.
- Wrong is one of: `organisation`, `invented` (no such person in truth), `not_in_register`, `wrong_citizen`.
- *Missed* is a person of the register without the right link, also where links has no row for it at all.
- `cluster` numbers the true persons, `citizen` the citizens proposed; the numbers mean nothing from run to run.
  An organisation and an invented person are clusters of their own.
- Nobody is judged twice: a key that stands twice in a table is an error, not an average.

>>> links = pl.DataFrame({"owner_record_id": ["a"], "role": ["owner"], "citizen_id": ["1"], "decision": ["link"]})
>>> truth = pl.DataFrame(
...     {"owner_record_id": ["a"], "role": ["owner"], "kind": ["person"], "person": ["p"], "citizen_id": ["2"]}
... )
>>> judge(links, truth)["wrong"].to_list()
['wrong_citizen']
"""

from __future__ import annotations

import polars as pl

from linkage.errors import DuplicateIdError, InputError, MissingColumnError

KEY = ["owner_record_id", "role"]
WRONG_KINDS = ("organisation", "invented", "not_in_register", "wrong_citizen")
OWNER, CO_OWNER = "owner", "co_owner"

_OPTIONAL_LINKS: dict[str, type[pl.DataType]] = {
    "person_id": pl.String,
    "match_weight": pl.Float64,
    "match_probability": pl.Float64,
    "reason": pl.String,
    "has_id": pl.Boolean,
    "sex": pl.String,
    "birth_year": pl.Int16,
    "commune_code": pl.String,
}


def judge(links: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """One row per person named in links or in truth, with `linked`, `known`, `right`, `wrong` and `cluster`."""
    ours, theirs = _links(links), _truth(truth)
    if ours.height and theirs.height and ours.join(theirs, on=KEY, how="semi").is_empty():
        message = "truth: expected the truth of the same lines, found none of the links' lines; give their own truth."
        raise InputError(message)
    both = ours.join(theirs, on=KEY, how="full", coalesce=True)
    both = both.with_columns(
        linked=(pl.col("decision") == "link").fill_null(value=False) & pl.col("citizen_id").is_not_null(),
        known=pl.col("true_citizen_id").is_not_null(),
        candidate_right=(pl.col("citizen_id") == pl.col("true_citizen_id")).fill_null(value=False),
        scope=pl.when(pl.col("role") == OWNER).then(pl.lit(OWNER)).otherwise(pl.lit(CO_OWNER)),
        cluster=_cluster().cast(pl.Categorical).to_physical(),
        citizen=pl.col("citizen_id").cast(pl.Categorical).to_physical(),
    ).with_columns(right=pl.col("linked") & pl.col("candidate_right"))
    return both.with_columns(wrong=_wrong())


def _links(links: pl.DataFrame) -> pl.DataFrame:
    _require(links, "links", [*KEY, "citizen_id", "decision"])
    absent = [pl.lit(None, dtype=t).alias(n) for n, t in _OPTIONAL_LINKS.items() if n not in links.columns]
    return _keyed(
        links.with_columns(absent).select(
            pl.col(*KEY, "citizen_id", "decision").cast(pl.String),
            *(pl.col(name).cast(dtype, strict=False) for name, dtype in _OPTIONAL_LINKS.items()),
        ),
        "links",
    )


def _truth(truth: pl.DataFrame) -> pl.DataFrame:
    _require(truth, "truth", [*KEY, "kind", "person", "citizen_id"])
    person = pl.col("kind").cast(pl.String) != "organisation"
    return _keyed(
        truth.select(
            pl.col("owner_record_id").cast(pl.String),
            pl.col("role").cast(pl.String).fill_null(OWNER),
            pl.col("kind").cast(pl.String).fill_null("person"),
            person=pl.col("person").cast(pl.String),
            true_citizen_id=pl.when(person.fill_null(value=True)).then(pl.col("citizen_id").cast(pl.String)),
        ),
        "truth",
    )


def _require(frame: pl.DataFrame, name: str, columns: list[str]) -> None:
    for column in columns:
        if column not in frame.columns:
            raise MissingColumnError(name, column, frame.columns, section="no mapping exists for this table")


def _keyed(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    twice = frame.height - frame.select(KEY).unique().height
    if twice:
        raise DuplicateIdError(
            f"{name}: expected each (owner_record_id, role) once, found {twice} repeated rows; keep one row of each."
        )
    return frame


def _cluster() -> pl.Expr:
    line = pl.concat_str("owner_record_id", "role", separator="\x1f")
    return (
        pl.when(pl.col("kind").is_null())
        .then(pl.lit("invented\x1f") + pl.coalesce("person_id", line))
        .otherwise(pl.col("kind") + pl.lit("\x1f") + pl.coalesce("person", line))
    )


def _wrong() -> pl.Expr:
    kind = (
        pl.when(pl.col("kind").is_null())
        .then(pl.lit("invented"))
        .when(pl.col("kind") == "organisation")
        .then(pl.lit("organisation"))
        .when(~pl.col("known"))
        .then(pl.lit("not_in_register"))
        .otherwise(pl.lit("wrong_citizen"))
    )
    return pl.when(pl.col("linked") & ~pl.col("right")).then(kind)
