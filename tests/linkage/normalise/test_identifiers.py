"""Identity numbers: each way of writing beside its near-misses."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.normalise.identifiers import PLACEHOLDERS, id12_structure_agrees, id_columns

CASES = {
    "twelve digits": ("045060012345", "045060012345", None, "ok"),
    "a lost zero": ("45060012345", "045060012345", None, "padded"),
    "two lost zeros of Hà Nội": ("1060012345", "001060012345", None, "padded"),
    "ten digits that no padding makes possible": ("5060012345", None, None, "implausible"),
    "eleven digits that start with zero lost another digit": ("04506001234", None, None, "implausible"),
    "a number cell": ("45060012345.0", "045060012345", None, "padded"),
    "a float with all digits": ("4.5060012345E+10", "045060012345", None, "float"),
    "a float that ends in zero": ("4.506001234E+10", "045060012340", None, "float"),
    "an apostrophe in front": ("'045060012345", "045060012345", None, "separators"),
    "dots": ("045.060.012.345", "045060012345", None, "separators"),
    "no-break blanks": ("045060\u00a0012345", "045060012345", None, "separators"),
    "full-width digits": ("０４５０６００１２３４５", "045060012345", None, "separators"),
    "an impossible century digit": ("045960012345", "045960012345", None, "implausible"),
    "an unknown province": ("003060012345", "003060012345", None, "implausible"),
    "letters for digits": ("O4506OO12345", "045060012345", None, "letters-for-digits"),
    "nine digits": ("194123456", None, "194123456", "ok"),
    "nine digits of no known province": ("796300046", None, "796300046", "implausible"),
    "eight digits": ("94123456", None, "094123456", "padded"),
    "a number and its date": ("CMND: 194 123 456 cấp ngày 12/3/2005", None, "194123456", "separators"),
    "a number, its date in words and the police": (
        "CMND 194123456 do Công an Quảng Trị cấp ngày 1 tháng 2 năm 2005",
        None,
        "194123456",
        "separators",
    ),
    "both numbers": ("CMND 194123456 / CCCD 045060012345", "045060012345", "194123456", "two-numbers"),
    "both numbers spaced": ("194 123 456 045 060 012 345", "045060012345", "194123456", "two-numbers"),
    "the QR text of a card": (
        "045060012345|194123456|A|01011960|Nam|x|12032021",
        "045060012345",
        "194123456",
        "two-numbers",
    ),
    "a passport": ("B1234567", None, None, "other-paper"),
    "an army paper with eight digits": ("CMQĐ 94012345", None, None, "other-paper"),
    "zeros": ("000000000", None, None, "placeholder"),
    "one to nine": ("123456789", None, None, "placeholder"),
    "nines with a label": ("CMND: 999999999", None, None, "placeholder"),
    "a word for nothing": ("không có", None, None, "placeholder"),
    "blanks": ("  ", None, None, "empty"),
}


@pytest.mark.parametrize("case", CASES)
def test_reads(case: str) -> None:
    raw, id12, id9, flag = CASES[case]
    row = id_columns(pl.Series([raw])).row(0, named=True)
    assert (row["id12"], row["id9"], row["id_flag"]) == (id12, id9, flag)


@pytest.mark.parametrize(
    ("raw", "prefix"),
    [("4.5085E+10", "045085"), ("4,5085E+10", "045085"), ("1.94E+08", "194"), ("45085000000", "045085")],
)
def test_a_float_that_lost_digits_leaves_only_the_prefix(raw: str, prefix: str) -> None:
    row = id_columns(pl.Series([raw])).row(0, named=True)
    assert (row["id12"], row["id9"], row["id_prefix"], row["id_flag"]) == (None, None, prefix, "float")


def test_another_paper_keeps_its_number() -> None:
    assert id_columns(pl.Series(["hộ chiếu số B1234567", "QĐ12345678"]))["id_other"].to_list() == [
        "B1234567",
        "QD12345678",
    ]


def test_the_structure_of_twelve_digits_is_read() -> None:
    parts = id_columns(pl.Series(["045305012345"])).row(0, named=True)
    found = [parts[name] for name in ("id12_province", "id12_sex", "id12_birth_year", "id12_plausible")]
    assert found == ["045", "F", 2005, True]


def test_the_structure_is_compared_only_with_what_is_given() -> None:
    frame = pl.DataFrame({"n": ["045060012345"] * 4, "s": ["M", "F", None, None], "y": [1960, 1960, 1960, None]})
    agrees = id12_structure_agrees(pl.col("n"), sex=pl.col("s"), birth_year=pl.col("y"))
    assert frame.select(agrees).to_series().to_list() == [True, False, True, None]


def test_one_row_stands_for_each_distinct_value() -> None:
    assert id_columns(pl.Series(["1", "1", None, None])).height == 2


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(), max_size=20))
def test_no_text_raises(texts: list[str]) -> None:
    assert id_columns(pl.Series(texts, dtype=pl.String))["id_flag"].null_count() == 0


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["045", "001", "044", "096"]), st.integers(0, 1), st.integers(0, 10**8 - 1))
def test_padding_gives_back_what_a_number_cell_took(province: str, century: int, rest: int) -> None:
    number = f"{province}{century}{rest:08d}"
    if number.endswith("00000") or number in PLACEHOLDERS:
        return
    written = [number, str(int(number)), f"{float(number):.1f}", repr(float(number)), f"{int(number):.11E}"]
    assert set(id_columns(pl.Series(written))["id12"].to_list()) == {number}
