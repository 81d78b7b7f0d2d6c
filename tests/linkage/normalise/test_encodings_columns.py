"""A whole column is repaired as each of its values is."""

from __future__ import annotations

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from linkage.normalise.encodings import repair
from linkage.normalise.encodings_columns import has_odd_word, repair_columns

PIECES = [
    "Nguyễn", "NguyÔn", "V¨n", "Nguyeãn", "Nguyá»…n", "Nguyeenx", "Vawn", "Ðỗ", "\xa0", " ", "\u200b", "e\u0302\u0303",
    "e\u0303\u0302", "\t", "\n", "\r\n", "ĐÃ", "HÃ", "TNHH", "P.", "12", "Y Blô", "ﬁ", "Ａ", "\xad", "\x85", "å", ",",
]  # fmt: skip


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=6).map("".join), max_size=10))
@example(["Bà Lê\u00a0Thị  Hoa", "HÃ\xa0Văn", "ĐÃ\xa0CHẾT", "Nguye\u0302\u0303n"])
@settings(max_examples=300, deadline=None)
def test_the_column_is_repaired_as_each_value(values: list[str]) -> None:
    found = repair_columns(pl.Series(values, dtype=pl.String))
    assert list(zip(found["text"], found["encoding"], strict=True)) == [tuple(repair(value)) for value in values]


def test_null_stays_null_and_proper_text_is_not_looked_at() -> None:
    found = repair_columns(pl.Series(["Thôn 3, P. Hải Thành", None, "TrÇn"], dtype=pl.String))
    assert found["text"].to_list()[:2] == ["Thôn 3, P. Hải Thành", None]
    assert found["odd"].to_list() == [False, False, True]


def test_words_without_a_vowel_are_not_odd() -> None:
    assert has_odd_word(pl.Series(["TNHH Bình", "Nguyễn Brian", ""])).to_list() == [False, True, False]
