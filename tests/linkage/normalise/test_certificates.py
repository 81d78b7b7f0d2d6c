"""Certificate serials: one form for each way of writing."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.normalise.certificates import serial_columns

CASES = {
    "as printed": ("AD266864", "AD266864", "ok"),
    "a blank": ("AD 266864", "AD266864", "separators"),
    "lower case and dots": ("ad 266.864", "AD266864", "separators"),
    "one letter": ("W 654083", "W654083", "separators"),
    "eight digits since 2025": ("AA 00476432", "AA00476432", "separators"),
    "a lost zero": ("AD 66864", "AD066864", "padded"),
    "Đ is not D": ("Đa 123456", "ĐA123456", "separators"),
    "D is not Đ": ("DA 123456", "DA123456", "separators"),
    "the Icelandic Ð stands for Đ": ("ÐA123456", "ĐA123456", "separators"),
    "a letter for a digit": ("AD 26686O", "AD266860", "letters-for-digits"),
    "a label": ("Số phát hành: AD 266864", "AD266864", "separators"),
    "a label glued to it": ("SốAX583894", "AX583894", "separators"),
    "a serial that looks like a label": ("SO 123456", "SO123456", "separators"),
    "a file name": ("BM123456GCN", "BM123456", "separators"),
    "two serials": ("AD 266864, AD 266865", "AD266864", "several"),
    "a register number": ("CH 00123", None, "register-number"),
    "a serial that starts like a register number": ("CH 001234", "CH001234", "separators"),
    "digits alone": ("654083", "654083", "other-form"),
    "zero": ("0", None, "placeholder"),
    "a word for nothing": ("không có", None, "placeholder"),
    "blanks": (" ", None, "empty"),
}


@pytest.mark.parametrize("case", CASES)
def test_reads(case: str) -> None:
    raw, serial, flag = CASES[case]
    assert serial_columns(pl.Series([raw])).row(0) == (raw, serial, flag)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(), max_size=20))
def test_no_text_raises(texts: list[str]) -> None:
    assert serial_columns(pl.Series(texts, dtype=pl.String))["serial_flag"].null_count() == 0


@settings(max_examples=60, deadline=None)
@given(st.from_regex(r"[A-CĐE-Z]{1,2}[1-9][0-9]{5}", fullmatch=True))
def test_reading_twice_changes_nothing(serial: str) -> None:
    assert serial_columns(pl.Series([serial, f"{serial[:-6]} {serial[-6:-3]}.{serial[-3:]}"]))[
        "serial"
    ].unique().to_list() == [serial]
