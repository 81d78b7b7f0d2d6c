"""Communes: codes of both vintages, split communes, and the address that decides."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.normalise.communes import (
    BEFORE,
    FROM,
    both_readings,
    commune_columns,
    new_communes,
    old_communes,
    resolve_commune,
)

CASES = {
    "an old ward that was merged": ("19336", BEFORE, "19351", "ok"),
    "the same number on the new list": ("19333", FROM, "19333", "ok"),
    "an old commune that was split": ("00007", BEFORE, "00008", "split"),
    "a code typed into a number cell": ("4.0", BEFORE, "00004", "lost-zero"),
    "a code with its name": ("19336 - Phường 2", BEFORE, "19351", "ok"),
    "a code only the new list has": ("19742", BEFORE, "19742", "wrong-vintage?"),
    "a code only the old list has": ("00001", FROM, "00097", "wrong-vintage?"),
    "a code of no list": ("99999", BEFORE, None, "unknown-code"),
    "a name in place of a code": ("Phường 1", BEFORE, None, "unknown-code"),
    "nothing": ("", BEFORE, None, "empty"),
}


@pytest.mark.parametrize("case", CASES)
def test_reads(case: str) -> None:
    raw, vintage, code, flag = CASES[case]
    row = commune_columns(pl.Series([raw]), pl.Series([vintage])).row(0, named=True)
    assert (row["commune_code"], row["commune_flag"]) == (code, flag)


def test_the_default_vintage_stands_where_none_is_given() -> None:
    codes, none = pl.Series(["19336"]), pl.Series([None], dtype=pl.String)
    assert commune_columns(codes, none)["commune_flag"].to_list() == ["ok"]
    assert commune_columns(codes, none, default_vintage=FROM)["commune_flag"].to_list() == ["wrong-vintage?"]


def test_every_code_has_a_successor_that_exists() -> None:
    assert (len(old_communes()), len(new_communes())) == (10035, 3321)
    assert {code for old in old_communes().values() for code in old.successors} <= set(new_communes())
    assert sum(1 for code in new_communes() if both_readings(code)[0]) == 3316


def test_the_communes_of_quang_tri_are_not_split() -> None:
    ours = [old for old in old_communes().values() if old.province_code in ("44", "45")]
    targets = {code for old in ours for code in old.successors}
    assert (len(ours), {len(old.successors) for old in ours}, len(targets)) == (264, {1}, 77)  # Cồn Cỏ had no commune


def test_a_code_on_both_lists_names_part_of_the_same_land() -> None:
    """So a wrong vintage matters only for codes that one list lacks and for split communes."""
    assert all(code in old.successors for code, old in old_communes().items() if code in new_communes())


@pytest.mark.parametrize(
    ("address", "chosen", "flag"),
    [
        (["00199"], "00199", "wrong-vintage"),
        (["00025"], "00025", "ok"),
        (["19333"], "00025", "ok"),
        (None, "00025", "ok"),
    ],
)
def test_the_address_decides_between_two_vintages(address: list[str] | None, chosen: str, flag: str) -> None:
    candidates = pl.Series([address], dtype=pl.List(pl.String))
    row = resolve_commune(pl.Series(["00025"]), pl.Series([FROM]), candidates).row(0, named=True)
    assert (row["commune_code"], row["commune_flag"]) == (chosen, flag)


def test_the_address_narrows_a_split_commune() -> None:
    candidates = pl.Series([["00025"]], dtype=pl.List(pl.String))
    row = resolve_commune(pl.Series(["00007"]), pl.Series([BEFORE]), candidates).row(0, named=True)
    assert (row["commune_code"], row["commune_candidates"], row["commune_flag"]) == ("00025", ["00025"], "split")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.text(), st.text()), max_size=10))
def test_no_text_raises_and_no_row_is_lost(rows: list[tuple[str, str]]) -> None:
    codes, vintages = (pl.Series([row[i] for row in rows], dtype=pl.String) for i in (0, 1))
    assert commune_columns(codes, vintages).height == len(rows)
