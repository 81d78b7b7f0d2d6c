"""Owner lines become mentions: who stands on a line, with which values, beside whom."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from linkage.normalise.lines import COLUMNS_READ, mentions
from linkage.schemas import MENTIONS, OWNER_LINES

A, B = "Nguyễn Văn An", "Trần Thị Bình"


def read(*lines: dict[str, str | None], **options: Any) -> list[dict[str, Any]]:
    """The mentions of some lines; columns not given are empty."""
    rows = [{"owner_record_id": str(n), **line} for n, line in enumerate(lines)]
    return mentions(pl.DataFrame(rows, schema=OWNER_LINES.schema()), **options).to_dicts()


def told(line: dict[str, str | None], *fields: str) -> list[tuple[Any, ...]]:
    return [tuple(mention[field] for field in fields) for mention in read(line)]


def test_no_lines_give_no_mentions() -> None:
    assert mentions(OWNER_LINES.empty()).schema == pl.Schema(MENTIONS.schema())


def test_only_the_columns_named_are_read() -> None:
    lines = pl.DataFrame([{"owner_name": A}], schema=dict.fromkeys(COLUMNS_READ, pl.String))
    assert mentions(lines)["name"].to_list() == [A]


def test_owner_and_co_owner_have_their_own_columns() -> None:
    line = {"owner_name": A, "owner_birth": "1960", "owner_sex": "M", "owner_id_no": "045060000001",
            "co_owner_name": B, "co_owner_birth": "12/03/1962", "co_owner_sex": "F",
            "co_owner_id_no": "197000002"}  # fmt: skip
    assert told(line, "role", "name", "birth_year", "birth_day", "sex", "id12", "id9") == [
        ("owner", A, 1960, None, "M", "045060000001", None),
        ("co_owner", B, 1962, 12, "F", None, "197000002"),
    ]


def test_the_second_person_of_one_cell_has_the_co_owners_columns() -> None:
    line = {"owner_name": f"Ông {A} và bà {B}", "owner_birth": "1960", "co_owner_birth": "1962"}
    assert told(line, "role", "name", "birth_year") == [("owner", A, 1960), ("co_owner", B, 1962)]


def test_a_third_person_has_no_columns_of_the_second() -> None:
    line = {"owner_name": f"{A}, {B}, Lê Văn Cường", "co_owner_birth": "1962"}
    assert told(line, "role", "birth_year") == [("owner", None), ("co_owner", 1962), ("co_owner_2", None)]


def test_a_repeated_name_is_one_person() -> None:
    line = {"owner_name": f"Ông {A} và bà {B}", "co_owner_name": f"Bà {B.upper()}", "co_owner_birth": "1962"}
    assert told(line, "role", "name", "birth_year") == [("owner", A, None), ("co_owner", B, 1962)]


def test_the_same_name_on_two_lines_stays_two_mentions() -> None:
    assert [(m["line"], m["role"]) for m in read({"owner_name": A}, {"owner_name": A})] == [(0, "owner"), (1, "owner")]


def test_an_organisation_is_one_mention_beside_its_representative() -> None:
    found = read({"owner_name": f"Công ty TNHH Hoàng Hà, đại diện: ông {A}"})
    assert [(m["role"], m["kind"]) for m in found] == [("owner", "organisation")]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [({}, "organisation"), ({"owner_id_no": "045060000001"}, "person"), ({"owner_birth": "1960"}, "person")],
)
def test_a_line_of_an_organisation_names_a_person_only_with_personal_fields(fields: dict[str, str], kind: str) -> None:
    assert read({"owner_name": A, "owner_kind": "organisation", **fields})[0]["kind"] == kind


def test_heirs_follow_the_dead_owner_and_are_nobodys_spouse() -> None:
    line = {"owner_name": f"Những người thừa kế của ông {A}: {B}, Nguyễn Văn Cường", "owner_kind": "individual"}
    assert told(line, "name", "deceased", "spouse_folded") == [
        (A, True, None), (B, False, None), ("Nguyễn Văn Cường", False, None),
    ]  # fmt: skip


def test_a_column_stands_above_the_same_fact_in_the_name() -> None:
    text = f"Ông {A}, sinh năm 1961, CMND 197000001"
    assert told({"owner_name": text}, "birth_year", "id9") == [(1961, "197000001")]
    both = {"owner_name": text, "owner_birth": "1960", "owner_id_no": "197000002"}
    assert told(both, "birth_year", "id9") == [(1960, "197000002")]


def test_births_after_the_latest_year_are_impossible() -> None:
    line = {"owner_name": A, "owner_birth": "2024"}
    assert [m["birth_year"] for m in read(line)] == [2024]
    assert [m["birth_year"] for m in read(line, latest_birth_year=2020)] == [None]


def test_a_line_in_a_legacy_encoding_reads_as_a_proper_one_with_its_address() -> None:
    proper = {
        "owner_name": "Nguyễn Văn Hùng",
        "owner_address": "Thôn Đông, xã Vĩnh Thủy, huyện Vĩnh Linh, tỉnh Quảng Trị",
    }
    legacy = {
        "owner_name": "NguyÔn V¨n Hïng",
        "owner_address": "Th«n §«ng, x· VÜnh Thñy, huyÖn VÜnh Linh, tØnh Qu¶ng TrÞ",
    }
    first, second = read(proper, legacy)
    for field in ("name", "name_key", "hamlet", "commune", "province"):
        assert first[field] is not None
        assert first[field] == second[field], field


@pytest.mark.parametrize("hamlet", ["Thôn 3", "Xóm 3", "Tổ dân phố 03", "thôn số 3"])
def test_a_hamlet_is_its_name_whatever_it_is_called(hamlet: str) -> None:
    assert read({"owner_name": A, "owner_address": f"{hamlet}, xã Vĩnh Thủy, Vĩnh Linh, Quảng Trị"})[0]["hamlet"] == "3"


def test_the_parcels_hamlet_counts_only_where_the_owner_lives_there() -> None:
    parcel = {"owner_name": A, "parcel_address": "Thôn Đông, xã Vĩnh Thủy, huyện Vĩnh Linh, tỉnh Quảng Trị"}
    assert read(parcel)[0]["hamlet"] == "dong"
    assert (
        read({**parcel, "owner_address": "Phường Hải Thành, thành phố Đồng Hới, tỉnh Quảng Bình"})[0]["hamlet"] is None
    )


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Chưa xác định", "unknown"),
        ("#REF!", "unknown"),
        ("12345", "unknown"),
        ("Ủy ban nhân dân xã quản lý", "organisation"),
    ],
)
def test_a_remark_is_one_mention_and_no_person(text: str, kind: str) -> None:
    assert told({"owner_name": text}, "role", "kind", "name") == [("owner", kind, None)]


def test_a_sentence_for_a_name_makes_no_couple() -> None:
    line = {"owner_name": "Đất do tập thể cùng khai hoang chưa rõ chủ", "owner_kind": "household"}
    assert {mention["spouse_folded"] for mention in read(line)} == {None}


COUPLE = {"owner_name": A, "co_owner_name": B}
STRANGERS = {"owner_name": "Lê Hòa", "co_owner_name": "Phan Thanh Hà"}


@pytest.mark.parametrize(
    "line",
    [
        {"owner_name": f"Hộ ông {A} và vợ là bà {B}"},
        {**COUPLE, "owner_kind": "couple"},
        {**COUPLE, "owner_role": "husband"},
        {**COUPLE, "owner_kind": "household"},
        {**STRANGERS, "owner_kind": "household", "owner_sex": "M"},
        {**STRANGERS, "owner_kind": "couple"},
    ],
)
def test_a_couple_names_each_other(line: dict[str, str | None]) -> None:
    first, second = read(line)
    assert (first["spouse_folded"], second["spouse_folded"]) == (second["name_folded"], first["name_folded"])


@pytest.mark.parametrize(
    "line",
    [
        {**COUPLE, "owner_kind": "co_ownership"},
        {"owner_name": f"Ông {A} và bà {B}", "owner_kind": "co_ownership"},
        {**COUPLE, "owner_kind": "co_ownership", "owner_role": "husband"},
        {**STRANGERS, "owner_kind": "household"},
        {**STRANGERS, "owner_sex": "M"},
        {**COUPLE, "owner_kind": "household", "owner_sex": "F", "co_owner_sex": "F"},
        {"owner_name": f"Hộ ông {A} và con là {B}", "owner_kind": "household"},
    ],
)
def test_others_on_a_line_are_no_couple(line: dict[str, str | None]) -> None:
    assert [mention["spouse_folded"] for mention in read(line)] == [None, None]


def test_a_couple_on_two_lines_of_one_certificate_names_each_other() -> None:
    paper = {"parcel_code": "w75", "certificate_serial": "AH 161433"}
    husband = {"owner_name": A, "owner_role": "husband", "owner_sex": "M", **paper}
    wife = {"owner_name": B, "owner_role": "wife", "owner_sex": "F", **paper}
    assert [m["spouse_folded"] for m in read(husband, wife)] == ["tran thi binh", "nguyen van an"]
    elsewhere = {**wife, "certificate_serial": "AH 161434"}
    assert [m["spouse_folded"] for m in read(husband, elsewhere)] == [None, None]
    shared = [{**line, "owner_kind": "co_ownership"} for line in (husband, wife)]
    assert [m["spouse_folded"] for m in read(*shared)] == [None, None]
