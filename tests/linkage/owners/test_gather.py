"""Quy chủ joins what proves to be one person, and leaves namesakes apart."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from linkage.engines.duckdb import connect, load
from linkage.normalise.names import name_columns
from linkage.owners import Gathered, gather
from linkage.schemas import CITIZENS, MENTIONS

_NOBODY: dict[str, Any] = dict.fromkeys(MENTIONS.columns)
_CITIZEN: dict[str, Any] = dict.fromkeys(CITIZENS.columns)


def _named(row: dict[str, Any]) -> dict[str, Any]:
    parts = name_columns(pl.Series([row["name"]])).row(0, named=True)
    return {
        **row,
        **{key: parts[key] for key in ("name_key", "name_folded", "name_sound", "surname", "given", "accented")},
    }


def _gathered(mentions: list[dict[str, Any]], citizens: list[dict[str, Any]]) -> Gathered:
    con = connect(threads=1)
    rows = [
        _named({**_NOBODY, "kind": "person", "name": "Nguyễn Văn Hùng", "deceased": False, "representative": False,
                "parcel_commune": "19495", **row, "mention": n, "line": n, "role": "owner"})
        for n, row in enumerate(mentions)
    ]  # fmt: skip
    people = [
        _named(
            {
                **_CITIZEN,
                "name": "Nguyễn Văn Hùng",
                "commune": "19495",
                "alive": True,
                **row,
                "id": n,
                "id12": row.get("citizen_id"),
            }
        )
        for n, row in enumerate(citizens)
    ]
    load(con, "mentions", pl.DataFrame(rows, schema=MENTIONS.schema()))
    load(con, "citizens", pl.DataFrame(people, schema=CITIZENS.schema()))
    load(
        con,
        "owner_ids",
        pl.DataFrame(
            {"line": range(len(rows)), "owner_record_id": [f"L{n}" for n in range(len(rows))]},
            schema={"line": pl.Int32, "owner_record_id": pl.String},
        ),
    )
    return gather(con)


def _groups(gathered: Gathered) -> list[int]:
    return gathered.members.sort("mention")["id"].to_list()


A, B = "045060000001", "045060000002"

CASES: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]], bool]] = {
    "one number and one name": ([{"id12": A}, {"id12": A}], [], True),
    "one number under two names (a wife's number)": ([{"id12": A}, {"id12": A, "name": "Trần Thị Lan"}], [], False),
    "a name with its accents lost, one number": (
        [{"id9": "197000001"}, {"id9": "197000001", "name": "NGUYEN VAN HUNG"}],
        [],
        True,
    ),
    "the old number and the new one of one citizen": (
        [{"id9": "197000001"}, {"id12": A}],
        [{"citizen_id": A, "id9": "197000001"}],
        True,
    ),
    "one certificate": ([{"serial": "AD123456"}, {"serial": "AD123456"}], [], True),
    "a name alone": ([{}, {}], [], False),
    "name, year and commune, one such citizen": (
        [{"birth_year": 1960}, {"birth_year": 1960}],
        [{"citizen_id": A, "birth_year": 1960}],
        True,
    ),
    "name, year and commune, two such citizens": (
        [{"birth_year": 1960}, {"birth_year": 1960}],
        [{"citizen_id": A, "birth_year": 1960}, {"citizen_id": B, "birth_year": 1960}],
        False,
    ),
    "two such citizens, but one wife": (
        [{"birth_year": 1960, "spouse_folded": "tran thi lan"}, {"birth_year": 1960, "spouse_folded": "tran thi lan"}],
        [{"citizen_id": A, "birth_year": 1960, "spouse_folded": "tran thi lan"}, {"citizen_id": B, "birth_year": 1960}],
        True,
    ),
    "name and year in another commune": (
        [{"birth_year": 1960}, {"birth_year": 1960, "parcel_commune": "19333"}],
        [{"citizen_id": A, "birth_year": 1960}],
        False,
    ),
    "namesakes of one year and commune whose numbers are two citizens'": (
        [{"birth_year": 1960, "id12": A}, {"birth_year": 1960, "id12": B}],
        [{"citizen_id": A, "birth_year": 1960}, {"citizen_id": B, "birth_year": 1961}],
        False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_two_lines_become_one_person_or_stay_two(case: str) -> None:
    mentions, citizens, together = CASES[case]
    first, second = _groups(_gathered(mentions, citizens))
    assert (first == second) is together


def test_two_numbers_of_one_kind_in_a_person_carry_a_mark() -> None:
    gathered = _gathered([{"serial": "AD123456", "id12": A}, {"serial": "AD123456", "id12": B}], [])
    assert gathered.persons["conflict"].to_list() == ["id12"]


def test_every_mention_has_one_person_and_a_reason() -> None:
    gathered = _gathered([{"id12": A}, {"id12": A}, {}, {"kind": "organisation"}], [])
    assert gathered.members["reason"].to_list() == ["same_id12", "same_id12", "alone", "alone"]
    assert gathered.persons["mentions"].sum() == 4


def test_the_person_id_does_not_depend_on_the_order_of_lines() -> None:
    one = _gathered([{"id12": A}, {"id12": A}], [])
    two = _gathered([{"id12": A}, {"id12": A}, {"name": "Trần Thị Lan"}], [])
    assert one.persons["person_id"][0] in two.persons["person_id"].to_list()


def test_the_name_with_accents_stands_for_the_person() -> None:
    gathered = _gathered(
        [{"id12": A, "name": "NGUYEN VAN HUNG"}, {"id12": A, "name": "NGUYEN VAN HUNG"}, {"id12": A}], []
    )
    assert gathered.persons["name"].to_list() == ["Nguyễn Văn Hùng"]
