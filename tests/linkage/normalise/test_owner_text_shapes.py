"""Cells of one shape are read alike: reading by shape says what reading each cell says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.normalise.encodings import repair
from linkage.normalise.owner_text import read_cell, read_cells
from linkage.normalise.owner_text_shapes import outline

SAME = [
    ("Ông Nguyễn Văn Hùng, sinh năm 1960", "Ông Trần Văn Tuấn, sinh năm 1971"),
    ("Bà Lê Thị Huệ, CMND 197000001", "Bà Phạm Thị Lụa, CMND 198765432"),
    ("Lê Thành Long và Bùi Thị Lụa", "Bùi Xuân Hùng và Phạm Thị Huệ"),
]
DIFFERENT = [
    ("Ông Nguyễn Văn Hùng", "Bà Nguyễn Văn Hùng"),
    ("Lê Thị Huệ - 1960", "Lê Thị Huệ - 2960"),
    ("Lê Thị Huệ, 197000001", "Lê Thị Huệ, 19700001"),
    ("Hội đồng hương", "Hội Hùng Hương"),
    ("Lê-Huệ", "Lê -Huệ"),
    ("Lê Thị Huệ. Bùi Lụa", "Lê Thị Y. Bùi Lụa"),
]
WORDS = [
    "ông",
    "Bà",
    "cụ",
    "Ông.",
    "bà:",
    "hộ",
    "gia",
    "đình",
    "HO",
    "ONG",
    "và",
    "va",
    "vợ",
    "chồng",
    "VO",
    "là",
    "con",
    "các",
    "thừa",
    "kế",
    "của",
    "những",
    "người",
    "đại",
    "diện",
    "do",
    "bởi",
    "chủ",
    "hộ",
    "Nguyễn",
    "Trần",
    "Lê",
    "Võ",
    "Vo",
    "Hồ",
    "Ho",
    "Bá",
    "Đỗ",
    "Do",
    "Văn",
    "Thị",
    "Anh",
    "Chi",
    "Nam",
    "Thắng",
    "Công",
    "ty",
    "TNHH",
    "UBND",
    "xã",
    "Thành",
    "Trung",
    "Đoàn",
    "thanh",
    "niên",
    "Hùng",
    "Huệ",
    "Lụa",
    "Y",
    "A",
    "H'Hen",
    "K",
    "sinh",
    "năm",
    "ngày",
    "tháng",
    "12",
    "3",
    "1960",
    "2960",
    "197000001",
    "045060000001",
    "19700001",
    "01/02/1960",
    "190",
    "123",
    "456",
    "đã",
    "chết",
    "(đã",
    "mất)",
    "(chết)",
    "+",
    ",",
    ";",
    "-",
    "–",
    ".",
    "/",
    "\n",
    "&",
    ":",
    "(",
    ")",
    "CMND",
    "CCCD",
    "số:",
    "chưa",
    "rõ",
    "trống",
    "cùng",
    "đồng",
    "sử",
    "dụng",
    "giáo",
    "họ",
    "chùa",
    "thôn",
    "Minh",
    "Đức",
    "Linh",
    "mục",
    "địa",
    "chỉ",
    "tức",
    "#",
    "~",
    "?",
    "½",
    "²",
    "=w",
    "wn",
    "#year",
]


@pytest.mark.parametrize(("left", "right"), SAME)
def test_names_and_numbers_do_not_make_a_shape(left: str, right: str) -> None:
    assert outline(left).shape == outline(right).shape


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_what_decides_the_reading_makes_a_shape(left: str, right: str) -> None:
    assert outline(left).shape != outline(right).shape


@given(st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=14).map(" ".join), min_size=1, max_size=30))
@settings(max_examples=150, deadline=None)
def test_reading_by_shape_is_reading_each_cell(cells: list[str]) -> None:
    texts = [repair(cell).text for cell in cells]
    assert read_cells(texts) == [read_cell(text, "unicode", []) for text in texts]


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_other_names_and_numbers_in_the_same_places_are_read_alike(data: st.DataObject) -> None:
    fixed = [
        "ông",
        "bà",
        "hộ",
        "và",
        "vợ",
        "là",
        "con",
        ",",
        ";",
        "(",
        ")",
        "-",
        ".",
        "sinh",
        "năm",
        "đã",
        "chết",
        "thừa",
        "kế",
        "của",
        "CMND",
        "đại",
        "diện",
        ":",
        "chủ",
    ]
    free = [
        "Nguyễn",
        "Bùi",
        "Võ",
        "Hồ",
        "Lụa",
        "Huệ",
        "Hùng",
        "Thành",
        "Minh",
        "Trung",
        "Y",
        "Bá",
        "Dung",
        "Trang",
        "1960",
        "1971",
        "197000001",
        "045060000001",
    ]
    pattern = data.draw(st.lists(st.sampled_from([*fixed, None, None]), min_size=2, max_size=12))
    fill = [data.draw(st.lists(st.sampled_from(free), min_size=12, max_size=12)) for _ in range(6)]
    texts = [" ".join(word or names[at] for at, word in enumerate(pattern)) for names in fill]
    assert read_cells(texts) == [read_cell(text, "unicode", []) for text in texts]
