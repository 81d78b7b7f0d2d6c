"""One name, many spellings: forms that must agree, and near-misses that must not."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.normalise.names import (
    NAME_COLUMNS,
    canonical_name,
    fold,
    has_accents,
    name_columns,
    name_key,
    name_sound,
    split_name,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hoà", "Hòa"),
        ("Thuý", "Thúy"),
        ("Quí", "Quý"),
        ("Qúy", "Quý"),
        ("Mĩ", "Mỹ"),
        ("Lí", "Lý"),
        ("Kì", "Kỳ"),
        ("Sĩ", "Sỹ"),
        ("Vĩ", "Vỹ"),
        ("NGUYỄN  VĂN\xa0A", "Nguyễn Văn A"),
        ("Ðỗ", "Đỗ"),
        ("Í", "Ý"),
        ("Quít", "Quýt"),
    ],
)
def test_spellings_of_one_name_share_a_key(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)
    assert canonical_name(one) == canonical_name(other)


@pytest.mark.parametrize(("one", "other"), [("Thúy", "Thúi"), ("Tay", "Tai"), ("Hùng", "Hưng"), ("Thủy", "Thụy")])
def test_different_names_keep_different_keys(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("huynh", "hoang"),
        ("vu", "vo"),
        ("nhon", "nhan"),
        ("phuoc", "phuc"),
        ("chanh", "chinh"),
        ("kieng", "canh"),
        ("san", "son"),
        ("tuang", "tuan"),
        ("xinh", "sinh"),
        ("giang", "dang"),
        ("chung", "trung"),
        ("nan", "lan"),
        ("phuot", "phuoc"),
        ("ly", "li"),
    ],
)
def test_dialect_forms_sound_alike(one: str, other: str) -> None:
    assert name_sound(f"nguyen van {one}") == name_sound(f"nguyen van {other}")


@pytest.mark.parametrize(
    ("one", "other"),
    [("hung", "huy"), ("mai", "may be"), ("binh", "minh"), ("anh", "an"), ("hoa", "hue"), ("kha", "ca")],
)
def test_other_names_do_not_sound_alike(one: str, other: str) -> None:
    assert name_sound(one) != name_sound(other)


def test_fold_gives_plain_words() -> None:
    assert fold("  Đỗ-Thị  H'Hen, (Niê) ") == "do thi hhen nie"
    assert fold("Y Bhiŏ Øre") == "y bhio ore"


def test_accents_are_seen() -> None:
    assert has_accents("Đo")
    assert not has_accents("Nguyen Van A")


def test_a_name_splits_into_surname_middle_and_given() -> None:
    assert split_name("nguyen van a") == ("nguyen", "van", "a")
    assert split_name("ton nu thi hoa") == ("ton nu", "thi", "hoa")
    assert split_name("ton nu") == ("ton", "", "nu")
    assert split_name("hoa") == ("", "", "hoa")
    assert split_name("") == ("", "", "")


def test_display_keeps_foreign_and_minority_names() -> None:
    assert canonical_name("H'HEN NIÊ") == "H'Hen Niê"
    assert canonical_name("jean-pierre dupont") == "Jean-Pierre Dupont"


@given(
    st.lists(
        st.text(st.characters(exclude_categories=("Cs", "Cn")), max_size=25)
        | st.sampled_from(["Nguyễn Thị Thuý", "TON NU HOA", "NguyÔn V¨n Hïng"]),
        max_size=8,
    )
)
@settings(max_examples=120, deadline=None)
def test_columns_agree_with_the_functions(values: list[str]) -> None:
    frame = name_columns(pl.Series(values, dtype=pl.String))
    assert frame.schema == pl.Schema(NAME_COLUMNS)
    assert frame["raw"].to_list() == list(dict.fromkeys(values))
    for row in frame.iter_rows(named=True):
        assert (row["name"] or "") == canonical_name(row["raw"])
        assert (row["name_key"] or "") == name_key(row["raw"])
        assert (row["name_sound"] or "") == name_sound(row["name_folded"] or "")
        assert tuple(row[c] or "" for c in ("surname", "middle", "given")) == split_name(row["name_folded"] or "")


def test_nulls_and_empty_columns_are_fine() -> None:
    assert name_columns(pl.Series([None], dtype=pl.String)).height == 0
    assert name_columns(pl.Series([None, "", "..."]))["name"].to_list() == [None, None]
