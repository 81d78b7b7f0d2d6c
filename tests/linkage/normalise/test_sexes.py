"""Sex: words, slips and codes."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.normalise.sexes import sex_columns

CODING = {"1": "M", "0": "F"}


@pytest.mark.parametrize("raw", ["M", "Nam", "NAM", " nam ", "nma", "mam", "Ông", "male", "1", "1.0", "Nam giới"])
def test_reads_a_man(raw: str) -> None:
    assert sex_columns(pl.Series([raw]), CODING)["sex"].to_list() == ["M"]


@pytest.mark.parametrize("raw", ["F", "Nữ", "nữ", "nu", "nư", "nừ", "Nũ", "Bà", "Female", "0", "N÷", "Nữ."])
def test_reads_a_woman(raw: str) -> None:
    assert sex_columns(pl.Series([raw]), CODING)["sex"].to_list() == ["F"]


def test_a_number_without_coding_says_nothing() -> None:
    assert sex_columns(pl.Series(["1", "0"])).select("sex", "sex_flag").rows() == [(None, "unknown-code")] * 2


@pytest.mark.parametrize("raw", ["na", "x", "", None, "n", "khác"])
def test_what_fits_both_or_neither_is_unknown(raw: str | None) -> None:
    assert sex_columns(pl.Series([raw], dtype=pl.String), CODING)["sex"].to_list() == [None]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(), max_size=20))
def test_no_text_raises(texts: list[str]) -> None:
    assert set(sex_columns(pl.Series(texts, dtype=pl.String))["sex"].to_list()) <= {"M", "F", None}
