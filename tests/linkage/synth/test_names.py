from __future__ import annotations

import numpy as np
import pytest

from linkage.synth import names
from linkage.synth.draw import stream


def rows(*texts):
    every = (names.codes(text) for text in texts)
    return np.array([[*words[:-1], *[0] * (4 - len(words)), words[-1]] for words in every])


@pytest.mark.parametrize(
    ("word", "other"),
    [("Hòa", "Hoà"), ("Thúy", "Thuý"), ("Thủy", "Thuỷ"), ("Mỹ", "Mĩ"), ("Quý", "Quí"), ("Sĩ", "Sỹ"), ("Hoàng", "Hoàng"),
     ("Huy", "Huy"), ("Quy", "Qui"), ("Nguyễn", "Nguyễn")],
)  # fmt: skip
def test_the_other_accepted_spelling_of_a_word(word, other):
    assert names.spelling_variant(word) == other


def test_a_misspelt_name_differs_in_one_word():
    before = rows(*["Nguyễn Văn Hải"] * 200)
    after = names.misspell_accent(stream(1, "test"), before)
    assert ((after != before).sum(axis=1) == 1).all()


def test_hook_and_tilde_are_confused_most():
    assert names.accent_variants("Hải").count("Hãi") > len(names.accent_variants("Hải")) / 3


def test_a_word_without_an_accent_can_still_be_misheard():
    assert "Xơn" not in names.accent_variants("Tâm")
    assert "Xinh" in names.accent_variants("Sinh")


def test_a_lost_or_added_word_changes_the_number_of_words_by_one():
    before = rows(*["Lê Thị Thu Hà"] * 50, *["Lê Hà"] * 50, *["Lê Thị Hà"] * 50)
    after = names.lose_or_add_word(stream(1, "test"), before, np.zeros(150, dtype=bool))
    assert (np.abs((after > 0).sum(axis=1) - (before > 0).sum(axis=1)) == 1).all()


def test_the_southern_form_comes_before_the_name_used_at_home():
    after = names.other_name(stream(1, "test"), rows("Lê Văn Phúc", "Hoàng Văn Đạt"), np.array([True, True]))
    assert names.text_of(after).to_list() == ["Lê Văn Phước", "Huỳnh Văn Đạt"]
