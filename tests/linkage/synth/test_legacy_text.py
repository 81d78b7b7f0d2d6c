from __future__ import annotations

import unicodedata

import pytest

from linkage.synth.legacy_text import to_tcvn3, to_vni

CASES = [
    ("Nguyễn Văn Hùng", "NguyÔn V¨n Hïng", "Nguyeãn Vaên Huøng"),
    ("Trần Thị Thủy", "TrÇn ThÞ Thñy", "Traàn Thò Thuûy"),
    ("Đỗ Đình", "§ç §×nh", "Ñoã Ñình"),
    ("nghĩa", "nghÜa", "nghóa"),
]


@pytest.mark.parametrize(("text", "tcvn3", "vni"), CASES)
def test_letters_of_old_fonts_look_as_in_the_files(text, tcvn3, vni):
    assert (to_tcvn3(text), to_vni(text)) == (tcvn3, vni)


def test_decomposed_text_is_composed_first():
    assert to_tcvn3(unicodedata.normalize("NFD", "Hùng")) == "Hïng"


def test_the_soft_hyphen_may_get_lost():
    assert to_tcvn3("Phước") == "Ph\u00ad\u00edc"
    assert to_tcvn3("Phước", soft_hyphen_kept=False) == "Phíc"


def test_text_without_accents_stays():
    assert to_tcvn3("Nguyen Van A, 1960") == to_vni("Nguyen Van A, 1960") == "Nguyen Van A, 1960"
