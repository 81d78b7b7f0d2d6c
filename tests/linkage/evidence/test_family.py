"""Who stands beside an owner tells which namesake he is."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from linkage.engines.duckdb import Connection, connect, fetch, load
from linkage.evidence import family
from linkage.schemas import CITIZENS, MENTIONS, PARENTS, PERSONS


def _rows(contract: Any, rows: list[dict[str, Any]]) -> pl.DataFrame:
    empty = dict.fromkeys(contract.columns)
    return pl.DataFrame([{**empty, **row} for row in rows], schema=contract.schema())


def _world(*, couple: bool = False, sure: bool = True) -> Connection:
    """Persons 0 (`a`) and 1 (`b`) on one line; citizens 1 and 2 are both called `b`, 0 is called `a`.

    Citizen 1 has the parents and the household of citizen 0, citizen 2 has others.
    """
    con = connect(threads=1)
    spouse = {"spouse_folded": "b"} if couple else {}
    mentions = [
        {"mention": 0, "line": 0, "role": "owner", "kind": "person", "name_folded": "a", **spouse},
        {"mention": 1, "line": 0, "role": "co_owner", "kind": "person", "name_folded": "b"},
    ]
    if couple:
        mentions[1]["spouse_folded"] = "a"
    citizens = [
        {"id": 0, "name_folded": "a", "name_key": "a", "given": "a", "kin": 1},
        {"id": 1, "name_folded": "b", "name_key": "b", "given": "b", "kin": 1},
        {"id": 2, "name_folded": "b", "name_key": "b", "given": "b", "kin": 2},
    ]
    persons = [
        {"id": 0, "name_folded": "a", "name_key": "a", "given": "a", "kind": "person"},
        {"id": 1, "name_folded": "b", "name_key": "b", "given": "b", "kind": "person"},
    ]
    parents = [
        {"id": 0, "father_folded": "f", "mother_folded": "m"},
        {"id": 1, "father_folded": "f", "mother_folded": "m"},
        {"id": 2, "father_folded": "x", "mother_folded": "y"},
    ]
    load(con, "mentions", _rows(MENTIONS, mentions))
    load(con, "members", pl.DataFrame({"mention": [0, 1], "id": [0, 1]}, schema={"mention": pl.Int32, "id": pl.Int32}))
    load(con, "citizens", _rows(CITIZENS, citizens))
    load(con, "persons", _rows(PERSONS, persons))
    load(con, "person_features", _rows(PERSONS, persons))
    load(con, "parents", _rows(PARENTS, parents))
    con.execute("create table weights (l integer, r integer, evidence_bits double)")
    con.execute("insert into weights values (0, 0, 40), (1, 1, 10), (2, 1, 10)")
    con.execute("create table candidates (l integer, r integer, rank integer, match_probability double)")
    con.execute(f"insert into candidates values (0, 0, 1, {0.9999 if sure else 0.5}), (1, 1, 1, 0.5), (2, 1, 2, 0.5)")
    return con


def _gammas(con: Connection, name: str) -> dict[int, int]:
    family.learn_facts(con)
    family.compare(con, citizens=3)
    found = fetch(con, f"select l, gamma_{name} as g from family where r = 1 order by l")
    return dict(found.iter_rows())


def test_a_brother_has_the_parents_of_the_sister_beside() -> None:
    assert _gammas(_world(), "parents") == {1: 2, 2: 0}


def test_a_wife_lives_in_her_husbands_household() -> None:
    assert _gammas(_world(couple=True), "household") == {1: 1, 2: 0}


def test_a_couple_is_not_judged_by_parents_and_others_not_by_household() -> None:
    assert set(_gammas(_world(couple=True), "parents").values()) == {-1}
    assert set(_gammas(_world(), "household").values()) == {-1}


def test_nobody_is_judged_by_a_person_who_is_not_sure() -> None:
    assert set(_gammas(_world(sure=False), "parents").values()) == {-1}


def test_an_heir_is_the_child_of_the_dead_person_named_beside_even_outside_the_register() -> None:
    con = _world(sure=False)
    con.execute("update parents set father_folded = 'a' where id = 2")
    assert _gammas(con, "parents") == {1: -1, 2: 3}


def test_the_weights_of_the_family_are_added_to_the_evidence() -> None:
    con = _world()
    family.learn_facts(con)
    family.compare(con, citizens=3)
    evidence = family.Evidence(
        {"household": (0.1, 0.9), "parents": (0.2, 0.1, 0.4, 0.3)},
        {"household": (0.9, 0.1), "parents": (0.8, 0.1, 0.05, 0.05)},
    )
    family.apply(con, evidence)
    bits = dict(fetch(con, "select l, evidence_bits from weights where r = 1").iter_rows())
    assert bits[1] == pytest.approx(13.0)
    assert bits[2] == pytest.approx(8.0)


def test_what_is_written_to_the_model_file_is_read_back() -> None:
    evidence = family.Evidence(
        {"household": (0.1, 0.9), "parents": (0.2, 0.1, 0.4, 0.3)},
        {"household": (0.9, 0.1), "parents": (0.8, 0.1, 0.05, 0.05)},
    )
    assert family.read(family.written(evidence)) == evidence


def test_the_family_leads_to_a_candidate_that_no_rule_found() -> None:
    con = _world()
    con.execute("delete from weights where l = 1")
    family.learn_facts(con)
    assert family.kin_pairs(con) == 1
    assert fetch(con, "select l, r from kin_pairs").rows() == [(1, 1)]
