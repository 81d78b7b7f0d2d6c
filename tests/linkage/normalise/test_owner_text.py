"""One owner cell: who is named, in which relation, and what is no person."""

from __future__ import annotations

import time

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.normalise.names import fold
from linkage.normalise.owner_text import LONGEST_CELL, OWNER_COLUMNS, parse_owner_column, parse_owner_text

A, B, C = "Nguyễn Văn An", "Trần Thị Bình", "Lê Thị Cúc"

COUPLES = [
    f"Ông {A} và vợ là bà {B}",
    f"Ông: {A}; Bà: {B}",
    f"Ông {A} - Bà {B}",
    f"{A}-{B}",
    f"{A}, {B}",
    f"{A} và {B}",
    f"{A} / {B}",
    f"{A}; {B}",
    f"{A}\n{B}",
    f"Ông {A} bà {B}",
    f"Ô. {A} và B. {B}",
    f"{A} (chồng), {B} (vợ)",
    f"Chồng: {A}, vợ: {B}",
    f"Vợ chồng ông {A} và bà {B}",
    f"ÔNG {A.upper()} VÀ VỢ: {B.upper()}",
    f"Hai vợ chồng {A}, {B}",
    f"{A} và vợ {B}",
    f"Ông {A} cùng vợ là bà {B}",
]


@pytest.mark.parametrize("text", COUPLES)
def test_both_spouses_are_found(text: str) -> None:
    owner = parse_owner_text(text)
    assert (owner.kind, owner.form) == ("person", "couple")
    assert [p.name for p in owner.persons] == [A, B]
    assert owner.persons[1].relation in ("wife", "spouse")
    assert owner.flags == ()


@pytest.mark.parametrize(
    ("text", "names", "relations"),
    [
        (f"bà {B} vợ ông {A}", [B, A], ["owner", "husband"]),
        (f"Hộ bà {B} và chồng ông {A}", [B, A], ["owner", "husband"]),
        (f"Hộ bà {B} cùng các con: {A}, {C}", [B, A, C], ["owner", "member", "member"]),
        (f"Đồng sử dụng: {A}, {B}, {C}", [A, B, C], ["owner", "co_owner", "co_owner"]),
        (f"Những người thừa kế của ông {A}: {B}, {C}", [A, B, C], ["owner", "heir", "heir"]),
        (f"Người được thừa kế quyền sử dụng đất của bà {B}", [B], ["owner"]),
        (f"Ông {A} (đại diện các đồng thừa kế của bà {B})", [A, B], ["representative", "owner"]),
        (f"Hộ ông {A}, người đại diện: bà {B}", [A, B], ["owner", "representative"]),
        ("NGUYEN VAN AN VA VO THI BINH", ["Nguyen Van An", "Vo Thi Binh"], ["owner", "spouse"]),
        ("HO ONG NGUYEN VAN AN VA VO TRAN THI BINH", ["Nguyen Van An", "Tran Thi Binh"], ["owner", "wife"]),
        (f"{A} và Lê Văn Dũng", [A, "Lê Văn Dũng"], ["owner", "co_owner"]),
    ],
)
def test_relations(text: str, names: list[str], relations: list[str]) -> None:
    persons = parse_owner_text(text).persons
    assert [p.name for p in persons] == names
    assert [p.relation for p in persons] == relations


@pytest.mark.parametrize(
    "name",
    [
        "Hồ Văn An",
        "Ông Văn An",
        "Nguyễn Văn Công",
        "Nguyễn Văn Hộ",
        "Hà Thị Hội",
        "Nguyễn Thị Chị",
        "Nguyễn Đức Anh",
        "Nguyễn Văn Trường",
        "Hoàng Trường",
        "Trường Văn Minh",
        "Nguyễn Thị Mất",
        "Nguyễn Văn Sinh",
        "Bá Thị Hoa",
        "Võ Văn Vợi",
        "Y Blô",
        "A Dơi",
        "H'Hen Niê",
        "Hồ Thị Pả Rênh",
        "Jean-Pierre Dupont",
        "Đình Văn Hậu",
        "Nguyễn Đại Diện Hòa",
        "Nguyễn Thị Thôn",
        "Trần Văn Đường",
        "Gia Văn Đình",
        "Nguyễn Thị Bà",
        "Cù Thị Con",
        "Bàn Văn Bản",
        "Ho Van An",
        "Vo Thi Ba",
    ],
)
def test_a_name_that_holds_such_words_stays_one_person(name: str) -> None:
    owner = parse_owner_text(name)
    if name != "Nguyễn Đại Diện Hòa":  # "đại diện" always speaks of a representative
        assert (owner.kind, owner.form, [p.name for p in owner.persons]) == ("person", "individual", [name])


@pytest.mark.parametrize(
    ("text", "sex"),
    [
        (f"Ông {A}", "M"),
        (f"Bà {B}", "F"),
        (f"Cụ {A}", None),
        (f"Ông/Bà {A}", None),
        (f"Ông (Bà) {A}", None),
        (f"Anh {A}", "M"),
        (f"Hộ bà: {B}", "F"),
        ("Ông Ông Văn An", "M"),
        (f"Hộ gia đình ông {A}", "M"),
        (A, None),
    ],
)
def test_sex_comes_from_the_honorific_only(text: str, sex: str | None) -> None:
    (person,) = parse_owner_text(text).persons
    assert person.sex == sex
    assert fold(person.name) in (fold(A), fold(B), "ong van an")


@pytest.mark.parametrize(
    ("text", "year", "written"),
    [
        (f"{A}, sinh năm 1960", 1960, "1960"),
        (f"{A} SN 1960", 1960, "1960"),
        (f"{A} (1960)", 1960, "1960"),
        (f"{A} (SN: 1960)", 1960, "1960"),
        (f"{A} năm sinh: 01/02/1960", 1960, "01/02/1960"),
        (f"{A}, S.N 1960", 1960, "1960"),
        (f"{A} sinh ngày 01 tháng 02 năm 1960", 1960, "01/02/1960"),
        (f"{A} - 1960", 1960, "1960"),
    ],
)
def test_births(text: str, year: int, written: str) -> None:
    (person,) = parse_owner_text(text).persons
    assert (person.name, person.birth_year, person.birth_text) == (A, year, written)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (f"{A}, CMND số 190 123 456", "190123456"),
        (f"{A} CCCD: 045060001234", "045060001234"),
        (f"{A} (CMT 190123456)", "190123456"),
        (f"{A} Số ĐDCN: 045 060 001 234", "045060001234"),
        (f"{A} 190123456", "190123456"),
        (f"{A} ID 45060001234", "45060001234"),
        (f"{A}, 1960, 190123456", "190123456"),
    ],
)
def test_id_numbers(text: str, number: str) -> None:
    (person,) = parse_owner_text(text).persons
    assert (person.name, person.id_no) == (A, number)


@pytest.mark.parametrize(
    "mark", ["(đã chết)", "đã mất", "(chết)", "(+)", "đ/c chết", "- đã chết", "(mất năm 1999)", "(CHẾT)"]
)
def test_death_marks(mark: str) -> None:
    owner = parse_owner_text(f"Ông {A} {mark} và bà {B}")
    assert [(p.name, p.deceased) for p in owner.persons] == [(A, True), (B, False)]


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("Công ty TNHH Một thành viên Hải Lăng", "organisation", None),
        ("UBND xã Cam Thủy", "organisation", None),
        ("Ủy ban nhân dân phường 5", "organisation", None),
        ("Trường THCS Nguyễn Trãi", "organisation", None),
        ("HTX Đông Giang", "organisation", None),
        ("Trạm y tế xã", "organisation", None),
        ("CTY CP ABC", "organisation", None),
        ("Cộng đồng dân cư thôn An Mỹ", "community", None),
        ("Thôn 3", "community", None),
        ("Bản Cát", "community", None),
        ("Dòng họ Nguyễn", "community", None),
        ("Chùa Diên Thọ", "religious", None),
        ("Giáo xứ Trí Bưu", "religious", None),
        ("Nhà thờ họ Lê", "religious", None),
        ("Đình làng Cam Lộ", "religious", None),
        ("Hội thánh Tin lành Khe Sanh", "religious", None),
    ],
)
def test_bodies_are_no_persons(text: str, kind: str, name: None) -> None:
    owner = parse_owner_text(text)
    assert (owner.kind, owner.organisation, owner.persons) == (kind, text, ())


@pytest.mark.parametrize(
    "link", [", người đại diện: ông ", " do ông ", " - Đại diện: Ông ", " (đại diện: ", "\nđại diện bởi ông "]
)
def test_a_representative_is_a_person_of_its_own(link: str) -> None:
    owner = parse_owner_text(f"Công ty TNHH Sông Hiếu{link}{A}{' đại diện' if 'do ông' in link else ''}")
    assert (owner.kind, owner.form, owner.organisation) == ("organisation", "representative", "Công ty TNHH Sông Hiếu")
    assert [(p.name, p.relation) for p in owner.persons] == [(A, "representative")]


@pytest.mark.parametrize(
    "text", ["chưa rõ", "CHƯA XÁC ĐỊNH", "...", "-", "#REF!", "Tổng cộng", "", "  ", "123", "không xác định", "N/A"]
)
def test_junk_names_nobody(text: str) -> None:
    assert (parse_owner_text(text).kind, parse_owner_text(text).persons) == ("unknown", ())


def test_legacy_text_is_repaired_first() -> None:
    owner = parse_owner_text("Hé «ng NguyÔn V¨n An vµ vî lµ bµ TrÇn ThÞ B×nh")
    assert (owner.encoding, owner.form, [p.name for p in owner.persons]) == ("tcvn3", "household", [A, B])
    assert [p.household_head for p in owner.persons] == [True, False]


def test_what_is_no_name_is_kept_as_left_over() -> None:
    owner = parse_owner_text(f"{A}, CMND: 190123456 cấp ngày 01/02/2005 tại CA Quảng Bình")
    assert owner.flags == ("leftover: cấp ngày 01/02/2005 tại CA Quảng Bình",)
    assert parse_owner_text(f"{A}, thôn Bích La").flags == ("leftover: thôn Bích La",)


PIECES = [
    A,
    B,
    C,
    "Ông",
    "bà",
    "Hộ",
    "và",
    "vợ",
    ",",
    ";",
    "-",
    "(",
    ")",
    ":",
    "1960",
    "190123456",
    "CMND",
    "sinh năm",
    "đã chết",
    "do",
    "đại diện",
    "Công ty ABC",
    "thừa kế của",
    "Xyz",
    "các con",
    "thôn 3",
    "\n",
    "và vợ là bà",
    "Chồng",
    "/",
    "cấp ngày",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join))
@settings(max_examples=400, deadline=None)
def test_no_name_is_lost(text: str) -> None:
    owner = parse_owner_text(text)
    found = fold(" ".join([*(p.name for p in owner.persons), owner.organisation or "", *owner.flags]))
    for word in ("Nguyễn", "Trần", "Lê", "An", "Cúc", "Xyz", "ABC"):
        assert found.split().count(fold(word)) >= fold(text).split().count(fold(word))


@given(
    st.text(max_size=80) | st.lists(st.sampled_from([*PIECES, "ø", "ư\xad", "«ng", "9", "."]), max_size=15).map("".join)
)
@settings(max_examples=400, deadline=None)
def test_any_text_parses(text: str) -> None:
    assert parse_owner_text(text).kind in ("person", "organisation", "community", "religious", "unknown")


def test_a_huge_cell_is_cut_with_a_flag_in_no_time() -> None:
    start = time.process_time()
    for huge in ("Nguyễn Văn An, " * 400_000, "(" * 5_000_000, "1 " * 1_000_000, "và vợ " * 500_000, "a" * 5_000_000):
        assert parse_owner_text(huge).flags[0] == f"cut at {LONGEST_CELL} characters"
    assert time.process_time() - start < 5


CELLS = [
    *COUPLES,
    A,
    B.upper(),
    "NGUYEN VAN AN",
    "UBND xã Cam Thủy",
    "",
    "chưa rõ",
    "Hoà Thị Thuý",
    "Lê Văn Hy Sinh",
    "Hoa",
]


@given(
    st.lists(
        st.sampled_from(CELLS) | st.lists(st.sampled_from([*PIECES, "Hoàng", "Minh"]), max_size=4).map(" ".join),
        max_size=10,
    )
)
@settings(max_examples=100, deadline=None)
def test_the_column_says_the_same_as_the_function(cells: list[str]) -> None:
    frame = parse_owner_column(pl.Series(cells, dtype=pl.String))
    assert frame.schema == pl.Schema(OWNER_COLUMNS)
    assert frame["raw"].to_list() == list(dict.fromkeys(cells))
    for row in frame.iter_rows(named=True):
        owner = parse_owner_text(row["raw"])
        assert (row["kind"], row["form"], row["encoding"]) == (owner.kind, owner.form, owner.encoding)
        told = [
            (p["name"], p["sex"], p["relation"], p["birth_year"], p["id_no"], p["deceased"]) for p in row["persons"]
        ]
        assert told == [(p.name, p.sex, p.relation, p.birth_year, p.id_no, p.deceased) for p in owner.persons]
        assert all(p["name_folded"] for p in row["persons"])
