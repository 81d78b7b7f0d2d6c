"""Legacy text is repaired, proper text is left alone."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.normalise.encodings import repair
from linkage.normalise.encodings_legacy import TCVN3, VNI
from linkage.normalise.encodings_syllables import COMMON, canonical_syllable, is_plain_syllable, is_syllable

NAMES = [
    "Nguyễn Văn Hùng",
    "Trần Thị Thủy",
    "Đỗ Đình Phước",
    "Võ Thị Lưu",
    "Hoàng Hữu Thọ",
    "Lê Minh Tú",
    "Hồ Thị Hòa",
    "Phạm Ngọc Ánh",
    "Bùi Thị Ý",
    "Dương Quốc Hưng",
    "Trương Thị Mười",
    "Nguyễn Thị Ngọc Hường",
    "Phan Thị Thư",
    "Lý Thị Quý",
    "Đặng Hoàng Hà",
    "Mai Văn Đỉnh",
    "Võ Minh Anh",
    "thôn An Định, xã Cam Thủy, huyện Lệ Thủy, tỉnh Quảng Bình",
    "Đường số 5, P. Đông Lễ, TP Đông Hà",
]

UNTOUCHED = [
    "Y Blô",
    "Hồ Thị Pả Rênh",
    "A Dơi",
    "H'Hen Niê",
    "Kpă Klơng",
    "Rơ Châm",
    "Ksor H'Lê",
    "Y Lâ",
    "Y Khoor",
    "Hồ Văn Kê",
    "NGUYEN VAN HUNG",
    "Nguyen Thi Hoa",
    "Loïc Dupont",
    "Loïc Anh",
    "François Müller",
    "Hélène René",
    "Øyvind Åse",
    "Guðrún",
    "Muñoz",
    "Lee Min Ho",
    "Lee Soo Man",
    "Hans Max",
    "Max Weber",
    "Nguyễn Văn Lewis",
    "Công ty TNHH ABC Steel",
    "KP3 P5 To6",
    "CCCD 045060001234",
    "Maï",
    "Tó",
    "Hoà",
    "Thò",
]

_TO_TCVN3 = {letter: code for code, letter in TCVN3.items()}
_TO_VNI = {letter: code for code, letter in reversed(VNI.items())}


def as_tcvn3(text: str) -> str:
    return "".join(_TO_TCVN3.get(c, _TO_TCVN3.get(c.lower(), c)) for c in text)


def as_vni(text: str) -> str:
    return "".join(_TO_VNI.get(c) or _TO_VNI.get(c.lower(), c).upper() if c.lower() in _TO_VNI else c for c in text)


def as_mojibake(text: str) -> str:
    return "".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in text.encode())


@pytest.mark.parametrize("name", NAMES)
def test_each_legacy_form_of_a_text_is_repaired(name: str) -> None:
    assert repair(as_tcvn3(name)).text == name
    assert repair(as_vni(name)).text == name
    assert repair(as_mojibake(name)).text == name
    assert repair(name.encode().decode("latin-1")).text == name
    assert repair(unicodedata.normalize("NFD", name)) == (name, "unicode")


@pytest.mark.parametrize("name", NAMES)
def test_tcvn3_that_lost_its_soft_hyphens_is_repaired_by_syllables(name: str) -> None:
    assert repair(as_tcvn3(name).replace("\xad", "")).text == name


@pytest.mark.parametrize("name", [n for n in NAMES if "Ý" not in n])
def test_mojibake_that_lost_its_undefined_bytes_is_repaired_by_syllables(name: str) -> None:
    assert repair(name.encode().decode("cp1252", "ignore")).text == name


@pytest.mark.parametrize("text", UNTOUCHED + NAMES)
def test_proper_foreign_and_minority_text_is_left_alone(text: str) -> None:
    assert repair(text) == (text, "unicode")


@pytest.mark.parametrize(
    ("text", "meant", "encoding"),
    [
        ("Nguyeenx Vawn Hungf", "Nguyễn Văn Hùng", "telex"),
        ("Nguyeenx Vawn Dduwowcj", "Nguyễn Văn Được", "telex"),
        ("Dduwcs", "Đức", "telex"),
        ("Nguyễn Văn Hungf", "Nguyễn Văn Hùng", "telex"),
        ("Nguye64n Thi5 Lan", "Nguyễn Thị Lan", "vni-typing"),
        ("D9u7c1", "Đức", "vni-typing"),
        ("NGUYÔN V¡N HïNG", "NGUYỄN VĂN HÙNG", "tcvn3"),
        ("NGUYEÃN VAÊN HUØNG", "NGUYỄN VĂN HÙNG", "vni"),
        ("Ñoã Văn Hùng", "Đỗ Văn Hùng", "vni"),
        ("Trương Trọng Nghóa", "Trương Trọng Nghĩa", "vni"),
        ("NguyÔn Anh Tó", "Nguyễn Anh Tú", "tcvn3"),
        ("HoÃ ng Thá»‹ Lan", "Hoàng Thị Lan", "utf8-as-cp1252"),
        ("Ðỗ\u200b Văn\xa0Hùng", "Đỗ Văn Hùng", "unicode"),
        ("Ｎguyễn Th\xadị Hòa", "Nguyễn Thị Hòa", "unicode"),
        ("Nguye\u0303\u0302n", "Nguyễn", "unicode"),
    ],
)
def test_hard_cases(text: str, meant: str, encoding: str) -> None:
    assert repair(text) == (meant, encoding)


@given(st.text(max_size=60) | st.text(alphabet="ÃÄÆáº»¼½µ¸­Ôªêôöïøùng NVh?163wsjaeo'\u0302\u0301", max_size=40))
@settings(max_examples=600, deadline=None)
def test_repair_is_idempotent_and_never_fails(text: str) -> None:
    once = repair(text).text
    assert repair(once) == (once, "unicode")


@given(st.lists(st.sampled_from(sorted(COMMON)), min_size=1, max_size=5))
@settings(max_examples=300, deadline=None)
def test_no_vietnamese_name_is_damaged_with_or_without_marks(words: list[str]) -> None:
    text = " ".join(w.title() for w in words)
    assert repair(text) == (text, "unicode")
    assert repair(text.upper()) == (text.upper(), "unicode")


def test_a_syllable_is_initial_rhyme_and_tone() -> None:
    assert all(map(is_syllable, ["nguyễn", "khuỷu", "giếng", "quốc", "gì", "nghĩa", "hoà", "hòa", "qúy", "yên"]))
    assert not any(map(is_syllable, ["nghóa", "phíc", "phớc", "vâ", "niê", "blô", "nguyet", "hoac", "ngẽ", "mứa̱"]))
    assert is_plain_syllable("nguyen")
    assert not is_plain_syllable("smith")


def test_the_tone_mark_moves_to_the_old_place_only_in_syllables() -> None:
    moved = {"hoà": "hòa", "thuý": "thúy", "qúy": "quý", "hoàng": "hoàng", "toà": "tòa", "khoẻ": "khỏe", "niê": "niê"}
    assert {w: canonical_syllable(w) for w in moved} == moved


def test_a_huge_cell_takes_linear_time() -> None:
    start = time.process_time()
    repair("á»Ã " * 20_000)
    repair("a" * 500_000 + "ø")
    assert time.process_time() - start < 5
