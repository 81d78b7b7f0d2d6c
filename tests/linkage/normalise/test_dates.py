"""Dates: each way of writing beside its near-misses."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.normalise.dates import age_evidence, birth_columns, date_columns, too_young

FULL = ["12/03/1960", "12-3-1960", "1960-03-12", "12.03.1960", "ngày 12 tháng 3 năm 1960", "1960-03-12T00:00:00"]
FULL += ["12/03/1960 00:00", "19600312", "12031960", "12-Mar-1960", "Mar 12, 1960", "12 / 3 / 1960", "l2/O3/196O"]

CASES = {
    "a year": ("1960", 1960, None, None, "year-only"),
    "a number cell": ("1960.0", 1960, None, None, "year-only"),
    "a year with words": ("SN 1960", 1960, None, None, "year-only"),
    "month and year": ("03/1960", 1960, 3, None, "ok"),
    "zeros for the unknown day": ("0/3/1960", 1960, 3, None, "ok"),
    "zeros for day and month": ("00/00/1960", 1960, None, None, "year-only"),
    "the form's default year": ("1900", None, None, None, "placeholder"),
    "the form's default day": ("01/01/1900", None, None, None, "placeholder"),
    "the first of January": ("01/01/1960", 1960, None, None, "first-of-january"),
    "the second of January": ("02/01/1960", 1960, 1, 2, "ok"),
    "a year too early": ("1017", None, None, None, "impossible"),
    "a year too late": ("12/03/2107", None, None, None, "impossible"),
    "a day the month has not": ("31/02/1960", 1960, None, None, "impossible"),
    "a leap day": ("29/02/1960", 1960, 2, 29, "ok"),
    "a leap day in another year": ("29/02/1961", 1961, None, None, "impossible"),
    "days since 1899": ("21917.0", 1960, 1, 2, "excel-serial"),
    "a year typed into a date cell": ("1905-05-13", 1960, None, None, "excel-serial"),
    "two digits for the year": ("12/03/60", 1960, 3, 12, "two-digit-year"),
    "month first": ("3/25/1960", 1960, 3, 25, "month-first"),
    "words": ("không rõ", None, None, None, "unreadable"),
    "blanks": (" ", None, None, None, "empty"),
}


@pytest.mark.parametrize("raw", FULL)
def test_reads_a_full_date(raw: str) -> None:
    row = birth_columns(pl.Series([raw])).row(0)
    assert row == (raw, 1960, 3, 12, True, "ok")


@pytest.mark.parametrize("case", CASES)
def test_reads(case: str) -> None:
    raw, *expected = CASES[case]
    row = birth_columns(pl.Series([raw])).row(0, named=True)
    assert [row["birth_year"], row["birth_month"], row["birth_day"], row["birth_flag"]] == expected


def test_equal_day_and_month_cannot_be_swapped() -> None:
    assert birth_columns(pl.Series(["03/03/1960", "03/04/1960"]))["birth_swappable"].to_list() == [False, True]


def test_a_certificate_is_not_older_than_1980() -> None:
    found = date_columns(pl.Series(["12/3/2005", "12/3/05", "12/3/1975"]), today=date(2026, 11, 22))
    assert found["certificate_year"].to_list() == [2005, 2005, None]


def test_an_owner_must_be_old_enough() -> None:
    frame = pl.DataFrame({"b": [1960, 1990, 2003, None], "c": [2000, 2000, 2000, 2000]})
    codes = frame.select(age_evidence(pl.col("b"), pl.col("c"))).to_series().to_list()
    assert codes == ["possible", "too-young", "not-born", None]
    assert frame.select(too_young(pl.col("b"), pl.col("c"))).to_series().to_list() == [False, True, True, None]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text() | st.from_regex(r"[0-9/.\- ]{1,12}", fullmatch=True), max_size=20))
def test_no_text_raises(texts: list[str]) -> None:
    assert birth_columns(pl.Series(texts, dtype=pl.String))["birth_flag"].null_count() == 0


@settings(max_examples=60, deadline=None)
@given(st.dates(date(1906, 1, 2), date(2020, 12, 31)))
def test_every_date_comes_back_from_every_form(day: date) -> None:
    forms = [day.isoformat(), f"{day:%d/%m/%Y}", f"{day:%d%m%Y}", f"{day:%Y%m%d}", f"{day.day}-{day.month}-{day.year}"]
    found = birth_columns(pl.Series(forms)).select("birth_year", "birth_month", "birth_day").unique()
    first = day.month == day.day == 1
    assert found.rows() == [(day.year, None, None) if first else (day.year, day.month, day.day)]
