"""Fields become comparable by their type, and derived columns follow from them."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.tables.derive import derived, field, soundex
from linkage.tables.parts import DerivedConfig

FIELDS = {
    "accents and case go": ("name", "  NGUYỄN  Văn-Đức ", "nguyen van duc"),
    "signs alone are missing": ("name", " -- ", None),
    "empty is missing": ("text", "", None),
    "a text keeps its numbers": ("text", "12/3 Lê Lợi", "12 3 le loi"),
    "a code loses its signs": ("code", "AB-12.3 c", "ab123c"),
    "year first": ("date", "1960-2-01", "19600201"),
    "year first with a time": ("date", "1960-02-01 00:00:00", "19600201"),
    "day first": ("date", "1/2/1960", "19600201"),
    "digits only": ("date", "19600201", "19600201"),
    "a slip in a date stays": ("date", "19601340", "19601340"),
    "a year alone stays": ("date", "1960", "1960"),
    "a number": ("number", " 1 200.5 ", 1200.5),
    "no number": ("number", "n/a", None),
    "other scripts stay": ("name", "Иванов", "иванов"),
}


@pytest.mark.parametrize(("kind", "text", "becomes"), FIELDS.values(), ids=FIELDS.keys())
def test_a_field_is_prepared(kind, text, becomes) -> None:
    frame = pl.DataFrame({"x": [text]}, schema={"x": pl.String})
    assert frame.select(field("x", kind))["x"].item() == becomes


DERIVED = {
    "first letters": ({"first_letters": "x", "length": 3}, "anna maria", "ann"),
    "first letters of a shorter text": ({"first_letters": "x", "length": 3}, "an", "an"),
    "last letters": ({"last_letters": "x", "length": 2}, "anna", "na"),
    "first word": ({"first_word": "x"}, "anna maria", "anna"),
    "last word": ({"last_word": "x"}, "anna maria", "maria"),
    "words": ({"words": "x", "min_length": 3}, "of anna van anna", ["anna", "van"]),
    "no word long enough": ({"words": "x", "min_length": 9}, "anna", None),
    "joined": ({"joined": ["x", "y"]}, "anna", "anna lee"),
    "soundex of several words": ({"soundex": "x"}, "van der berg", "v536"),
}


@pytest.mark.parametrize(("told", "text", "becomes"), DERIVED.values(), ids=DERIVED.keys())
def test_a_column_is_derived(told, text, becomes) -> None:
    frame = pl.DataFrame({"x": [text, None], "y": ["lee", "lee"]})
    found = derived(frame, "made", DerivedConfig(**told)).to_list()
    assert found == [becomes, None]


def test_a_column_is_derived_where_every_value_is_missing() -> None:
    frame = pl.DataFrame({"x": [None, None]}, schema={"x": pl.String})
    for told in ({"soundex": "x"}, {"words": "x"}, {"first_word": "x"}):
        assert derived(frame, "made", DerivedConfig(**told)).to_list() == [None, None]


@given(st.text(alphabet=st.characters(codec="ascii", categories=["Ll", "Nd"]), min_size=1))
def test_soundex_is_at_most_a_letter_and_three_digits(word) -> None:
    code = soundex(word)
    assert code == word if not any(c.isalpha() for c in word) else len(code) == 4 and code[1:].isdigit()
