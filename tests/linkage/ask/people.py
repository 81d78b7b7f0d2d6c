"""A few doubtful owners and their candidates, as small as the rules allow."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

LINKS = {
    "owner_record_id": pl.String,
    "role": pl.String,
    "person_id": pl.String,
    "citizen_id": pl.String,
    "decision": pl.String,
}
CANDIDATES = {"person_id": pl.String, "citizen_id": pl.String, "match_probability": pl.Float64, "rank": pl.Int32}
CITIZENS = {
    "citizen_id": pl.String,
    "birth_year": pl.Int16,
    "birth_month": pl.Int8,
    "birth_day": pl.Int8,
    "status": pl.String,
}
DENIED = {"owner_record_id": pl.String, "role": pl.String, "citizen_id": pl.String}


def citizen(number: int) -> str:
    """The twelve digits of a citizen."""
    return f"{number:012d}"


def table(schema: dict[str, type[pl.DataType]], *rows: Sequence[object]) -> pl.DataFrame:
    """Rows in the columns of a schema."""
    return pl.DataFrame(rows, schema=schema, orient="row")


def links(*places: tuple[str, str, str], decision: str = "ask") -> pl.DataFrame:
    """Places (line, role, person) that are doubtful."""
    return table(LINKS, *[(line, role, person, citizen(1), decision) for line, role, person in places])


def candidates(**by_person: Sequence[float]) -> pl.DataFrame:
    """Candidates 1, 2, … of each person with their probabilities."""
    rows = [
        (person, citizen(number), probability, number)
        for person, probabilities in by_person.items()
        for number, probability in enumerate(probabilities, start=1)
    ]
    return table(CANDIDATES, *rows)


def citizens(count: int = 5, **unlike: dict[int, object]) -> pl.DataFrame:
    """Citizens 1 to `count`, alive and born in May 1960, but for what `unlike` says by number."""
    usual = {"birth_year": 1960, "birth_month": 5, "birth_day": 20, "status": "alive"}
    rows = [
        (citizen(number), *[unlike.get(name, {}).get(number, value) for name, value in usual.items()])
        for number in range(1, count + 1)
    ]
    return table(CITIZENS, *rows)
