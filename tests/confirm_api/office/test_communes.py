import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confirm_api.office.communes import normal_form, same_commune


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Xã Hoà Bình", "Xã Hòa Bình"),
        ("PHƯỜNG THUỶ XUÂN", "Phường Thủy Xuân"),
        ("P. Thủy Xuân", "phường Thủy Xuân"),
        ("TT Vạn Hà", "Thị trấn Vạn Hà"),
        ("Đặc khu Phú Quốc", "đặc khu  phú quốc"),
        ("Xã X. Lộc", "xã x lộc"),
    ],
)
def test_two_spellings_of_one_commune_agree(one, other):
    assert same_commune(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Xã Tân Lập", "Xã Tân Lạp"),
        ("Xã Tân Lập", "Phường Tân Lập"),
        ("Xã Tân Lập", "Xã Tân Lập 2"),
        ("Xã Dương Hoà", "Xã Đương Hoà"),
        ("", ""),
        ("Xã", "Phường"),
    ],
)
def test_two_communes_that_look_alike_do_not_agree(one, other):
    assert not same_commune(one, other)


@given(st.sampled_from(["Xã ", "Phường ", "P.", ""]), st.text("aàáâbcdđeêghiklmnoôơpqrstuưvxyỳÁ ", max_size=12))
def test_the_normal_form_depends_neither_on_capitals_nor_on_composition(kind, name):
    text = kind + name
    for written in (text.upper(), text.lower(), unicodedata.normalize("NFD", text), f"  {text} "):
        assert normal_form(written) == normal_form(text)
