"""Masks: enough left to tell what stood there, not enough to tell who."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.report.masking import mask_name, mask_number, mask_serial, mask_text, mask_year


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("Nguyễn Văn Hùng", "N. V. H."),
        ("đặng  thị ánh", "Đ. T. Á."),
        ("Y", "Y."),
        ("", ""),
        (None, ""),
        ("H' Bia Niê", "H. B. N."),
    ],
)
def test_a_name_keeps_its_initials(name: str | None, masked: str) -> None:
    assert mask_name(name) == masked


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("001087012345", "001*********"),
        ("111234567", "111******"),
        (111234567, "111******"),
        ("123", "***"),
        (None, ""),
    ],
)
def test_a_number_keeps_three_digits_of_more_than_three(number: object, masked: str) -> None:
    assert mask_number(number) == masked


@pytest.mark.parametrize(("serial", "masked"), [("AD 266864", "AD ******"), ("W654083", "W6*****"), ("", "")])
def test_a_serial_keeps_two_characters(serial: str, masked: str) -> None:
    assert mask_serial(serial) == masked


def test_a_birth_year_keeps_its_decade() -> None:
    assert mask_year(1957) == "195*"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("same-id-number", "same-id-number"),
        ("found 'Nguyễn Văn A' in row 12", "found … in row 12"),
        ("two-id12: 001087012345, 001087012346", "two-id12: ****, ****"),
    ],
)
def test_a_sentence_loses_quotes_and_long_numbers_only(text: str, masked: str) -> None:
    assert mask_text(text) == masked


@given(st.text(alphabet=st.characters(categories=["Lu", "Ll"]), min_size=2, max_size=12))
def test_no_word_survives_its_mask(word: str) -> None:
    assert word not in mask_name(word)


@given(st.integers(10**8, 10**12 - 1))
def test_no_number_survives_a_mask(number: int) -> None:
    assert str(number) not in mask_number(number)
    assert str(number) not in mask_text(f"so {number}")
