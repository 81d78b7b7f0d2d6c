"""PL3-01 workbooks: every variant, every row accounted for."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import xlsxwriter

from linkage.errors import MissingColumnError
from linkage.sources import Source, SourceMapping, original_rows, read_owners
from linkage.sources.pl3 import kind_code, role_code
from linkage.sources.pl3_layout import field_of
from tests.linkage.sources.pl3_builder import HEADERS, build


def sheet_of(
    path: Path, rows: list[dict[str, object]], merged: tuple[tuple[int, int, int, int, str], ...] = ()
) -> Source:
    """Reads a sheet with the full header in row 1 and `rows` below; header → value."""
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("S")
        sheet.write_row(0, 0, HEADERS)
        for number, row in enumerate(rows, start=1):
            for header, value in row.items():
                sheet.write(number, HEADERS.index(header), value)
        for area in merged:
            sheet.merge_range(*area)
    return read_owners(path)


NAME, SERIAL = "Họ tên chủ sử dụng/\nngười đại diện", "Số phát hành GCN"


def test_every_variant_is_read_and_every_row_accounted_for(tmp_path: Path) -> None:
    path = tmp_path / "Sổ địa chính.xlsx"
    expected = build(path, 600)
    source = read_owners(path)
    assert source.format == "pl3-01"
    assert source.rows_read == expected.rows == source.lines.height + source.rejected.height
    assert dict(source.lines.select("owner_record_id", "owner_name").iter_rows()) == expected.names
    assert dict(source.lines.select("owner_record_id", "certificate_serial").iter_rows()) == expected.serials
    assert Counter(reason.split(":")[0] for reason in source.rejected["reason"]) == expected.reasons
    assert source.notes == ("Sổ địa chính.xlsx: sheet 'Hướng dẫn' is not a PL3-01 table and was not read",)
    assert original_rows(path).height == expected.rows


def test_a_hidden_sheet_is_read_when_the_config_names_it(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    build(path, 200)
    source = read_owners(path, SourceMapping(sheet="Bản cũ"))
    assert source.lines.height > 10
    assert not source.rejected["reason"].str.starts_with("hidden").any()


def test_a_number_formatted_with_zeros_comes_out_as_digits(tmp_path: Path) -> None:
    build(tmp_path / "a.xlsx", 100)
    numbers = read_owners(tmp_path / "a.xlsx").lines["owner_id_no"].drop_nulls()
    assert numbers.str.contains(r"^[0-9]{10,12}$").all()


def test_the_certificate_is_inherited_in_a_group_but_the_person_never(tmp_path: Path) -> None:
    source = sheet_of(
        tmp_path / "a.xlsx",
        [
            {
                "STT": 1,
                SERIAL: "BK 1",
                NAME: "Tý",
                "Số định danh/CCCD": "045085012345",
                "Giới tính": "Nam",
                "Số thửa BĐĐC": 5,
            },
            {NAME: "Sửu"},
            {NAME: "Dần", "Số thửa BĐĐC": 6},
            {NAME: "Mão"},
            {"Số thửa BĐĐC": 7},
            {"STT": 2, NAME: "Thìn"},
        ],
    )
    lines = source.lines.select("owner_name", "certificate_serial", "parcel_no", "owner_id_no", "owner_sex").rows()
    assert lines == [
        ("Tý", "BK 1", "5", "045085012345", "Nam"),
        ("Sửu", "BK 1", "5", None, None),
        ("Dần", "BK 1", "6", None, None),
        ("Mão", "BK 1", "6", None, None),
        ("Thìn", None, None, None, None),
    ]
    assert source.rejected.select("row", "column").rows() == [(6, "owner_name")]


def test_without_stt_a_parcel_of_its_own_is_not_another_certificates(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {SERIAL: "BK 1", NAME: "Tý", "Số thửa BĐĐC": 5},
        {NAME: "Sửu"},
        {NAME: "Dần", "Số thửa BĐĐC": 6},
    ]
    assert sheet_of(tmp_path / "a.xlsx", rows).lines["certificate_serial"].to_list() == ["BK 1", "BK 1", None]


def test_a_blank_row_ends_a_group_and_is_not_counted(tmp_path: Path) -> None:
    source = sheet_of(tmp_path / "a.xlsx", [{"STT": 1, SERIAL: "BK 1", NAME: "Tý"}, {}, {"STT": 9}, {NAME: "Sửu"}])
    assert source.rows_read == 2
    assert source.lines["certificate_serial"].to_list() == ["BK 1", None]
    assert source.lines["owner_record_id"].to_list() == ["a.xlsx#S!2", "a.xlsx#S!5"]


def test_a_merged_name_counts_for_each_row_it_covers(tmp_path: Path) -> None:
    column = HEADERS.index(NAME)
    rows: list[dict[str, object]] = [{"STT": 1, SERIAL: "A 1", "Số thửa BĐĐC": 5}, {"Số thửa BĐĐC": 6}]
    source = sheet_of(tmp_path / "a.xlsx", rows, ((1, column, 2, column, "Tý"),))
    assert source.lines.select("owner_name", "parcel_no").rows() == [("Tý", "5"), ("Tý", "6")]


TOTALS = ["Tổng cộng", "TỔNG CỘNG:", "Cộng", "Cộng: 12", "Tổng số thửa", "tong cong"]
NOT_TOTALS = ["Cộng đồng dân cư thôn 1", "Tổng công ty Sông Đà", "Tống Công Minh", "Công Tằng Tôn Nữ", "Tổng"]


@pytest.mark.parametrize("label", [*TOTALS, *NOT_TOTALS[:4]])
def test_total_rows_are_rejected_and_their_near_misses_kept(tmp_path: Path, label: str) -> None:
    source = sheet_of(tmp_path / "a.xlsx", [{NAME: label, "Diện tích": 100}])
    assert source.lines.height == (label in NOT_TOTALS)


def test_a_total_row_with_its_label_in_the_stt_column_alone_is_rejected(tmp_path: Path) -> None:
    source = sheet_of(tmp_path / "a.xlsx", [{"STT": 1, NAME: "Tý"}, {"STT": "Tổng cộng: 1"}, {"STT": 2}])
    assert source.rejected.select("row", "value").rows() == [(3, "Tổng cộng: 1")]
    assert source.rows_read == 2


def test_footers_are_rejected_as_such(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"STT": 1, NAME: "Tý"},
        {"Giới tính": "Ngày 5 tháng 9 năm 2025"},
        {NAME: "NGƯỜI LẬP BIỂU"},
    ]
    assert sheet_of(tmp_path / "a.xlsx", rows).rejected["reason"].str.starts_with("footer").to_list() == [True, True]


def test_an_organisation_owns_the_row_of_its_representative(tmp_path: Path) -> None:
    source = sheet_of(
        tmp_path / "a.xlsx",
        [
            {
                "Tên tổ chức": "UBND xã A",
                "Số định danh tổ chức": "3200",
                NAME: "Tý",
                "Số định danh/CCCD": "045085012345",
            },
            {"Tên tổ chức": "Công ty B"},
            {"Tên tổ chức": "-", NAME: "Sửu", "Pháp nhân trên GCN": "Cá nhân", "Vai trò": "Cá nhân"},
        ],
    )
    columns = ("owner_name", "owner_kind", "owner_id_no", "representative_id_no")
    assert source.lines.select(columns).rows() == [
        ("UBND xã A; người đại diện: Tý", "organisation", "3200", "045085012345"),
        ("Công ty B", "organisation", None, None),
        ("Sửu", "individual", None, None),
    ]


def test_the_cadastral_parcel_stands_before_the_one_on_paper(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {NAME: "Tý", "Số tờ trên GCN": 1, "Số thửa trên GCN": 2, "Số tờ BĐĐC": 30, "Số thửa BĐĐC": 40},
        {NAME: "Sửu", "Số tờ trên GCN": 1, "Số thửa trên GCN": 2},
    ]
    lines = sheet_of(tmp_path / "a.xlsx", rows).lines
    assert lines.select("map_sheet_no", "parcel_no").rows() == [("30", "40"), ("1", "2")]


def test_fields_of_the_current_user_are_kept(tmp_path: Path) -> None:
    row: dict[str, object] = {
        NAME: "Tý",
        "Tên người sử dụng hiện tại": "Sửu",
        "CCCD người hiện tại": "1",
        "Lý do thay đổi": "thừa kế",
    }
    lines = sheet_of(tmp_path / "a.xlsx", [row]).lines
    assert lines.select("current_user_name", "current_user_id_no", "change_reason").row(0) == ("Sửu", "1", "thừa kế")


def test_a_workbook_said_to_be_pl3_that_is_not_names_the_missing_column(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        book.add_worksheet().write_row(0, 0, ["owner_record_id", "owner_name"])
    with pytest.raises(MissingColumnError, match="Họ tên chủ sử dụng"):
        read_owners(tmp_path / "a.xlsx", SourceMapping(format="pl3-01"))


HEADER_CASES = {
    ("Mã đơn vị hành chính cấp xã", ""): "commune_code",
    ("SỐ PHÁT HÀNH\nGIẤY CHỨNG NHẬN", ""): "certificate_serial",
    ("Tên", "Tổ chức"): "organisation_name",
    ("Số định danh", "Tổ chức"): "organisation_id_no",
    ("Số định danh", "Cá nhân, người đại diện"): "owner_id_no",
    ("Số định danh cá nhân/CCCD/CMND", ""): "owner_id_no",
    ("Mã định danh thửa đất", ""): "parcel_code",
    ("Họ tên chủ sử dụng đất / người đại diện tổ chức", ""): "owner_name",
    ("Số thửa", "Bản đồ địa chính"): "cadastral_parcel_no",
    ("Số thửa", "Thông tin trên GCN"): "paper_parcel_no",
    ("Địa chỉ thường trú 2 cấp (14)", ""): "permanent_address_2tier",
    ("Địa chỉ thửa đất", ""): "parcel_address",
    ("Ngày cấp CCCD", ""): "owner_id_date",
    ("Ngày cấp GCN", ""): "certificate_date",
    ("Số CCCD", "Thông tin cá nhân, người đại diện của tổ chức"): "owner_id_no",
    ("Địa chỉ", "Thông tin cá nhân, người đại diện của tổ chức"): "owner_address",
    ("Mã số thuế", "Thông tin về tổ chức"): "organisation_id_no",
    ("Diện tích xây dựng", ""): None,
    ("Tên file quét", ""): None,
    ("Nguồn gốc sử dụng", ""): None,
}


@pytest.mark.parametrize(("header", "above"), HEADER_CASES)
def test_headers_are_known_by_their_text(header: str, above: str) -> None:
    assert field_of(header, above) == HEADER_CASES[header, above]


PERSONS_OF_HEADERS = {
    "the name of a wife or husband is the co-owner's": ("Họ tên vợ/chồng", "", "co_owner_name"),
    "so is the year of a wife's birth": ("Năm sinh vợ", "", "co_owner_birth"),
    "so is her number": ("Số CMND vợ/chồng", "", "co_owner_id_no"),
    "so is her sex": ("Giới tính vợ", "", "co_owner_sex"),
    "so is the second person's name": ("Họ và tên người thứ hai", "", "co_owner_name"),
    "so is that of a person who uses the land too": ("Họ tên người đồng sử dụng", "", "co_owner_name"),
    "so is a bare name under a heading of the spouse": ("Họ và tên", "Thông tin vợ/chồng", "co_owner_name"),
    "so is a birth under that heading": ("Năm sinh", "Thông tin vợ/chồng", "co_owner_birth"),
    "so is a number under that heading": ("Số CCCD", "Vợ (chồng)", "co_owner_id_no"),
    "a cell that holds the owner and the spouse is the owner's": (
        "Họ tên chủ sử dụng đất và vợ/chồng",
        "",
        "owner_name",
    ),
    "the spouse of the owner is not the owner": ("Họ tên vợ/chồng của chủ sử dụng", "", "co_owner_name"),
    "a list of kinds of owners names no spouse": ("Pháp nhân trên GCN (cá nhân, vợ chồng)", "", "owner_kind"),
    "nor does the role": ("Vai trò (chồng, vợ, chủ hộ)", "", "owner_role"),
    "a spouse's address is nobody's here": ("Địa chỉ vợ/chồng", "", None),
    "the day of a spouse's paper is nobody's here": ("Ngày cấp CMND vợ", "", None),
    "the relation is no name": ("Quan hệ với chủ hộ (vợ, chồng)", "", None),
    "a paper's number is the owner's number": ("Số giấy tờ", "", "owner_id_no"),
    "also as a paper of identity": ("Số giấy tờ tùy thân", "", "owner_id_no"),
    "also in its short form": ("Số GTTT", "", "owner_id_no"),
    "also as a passport": ("Số hộ chiếu", "", "owner_id_no"),
    "the kind of paper is no sheet of a map": ("Loại giấy tờ", "", None),
    "nor is a group of houses": ("Tổ dân phố", "", None),
    "a sheet of a map is one": ("Tờ bản đồ", "", "cadastral_sheet_no"),
    "where a paper was issued is nothing": ("Nơi cấp", "", None),
    "when a person's paper was issued is not the certificate's day": ("Ngày cấp giấy tờ", "", "owner_id_date"),
    "where one lives now is an address": ("Nơi ở hiện nay", "", "owner_address"),
    "so is the other word for it": ("Chỗ ở hiện nay", "", "owner_address"),
    "so is the registered household": ("Hộ khẩu thường trú", "", "owner_address"),
    "who uses the land now is a person": ("Người sử dụng đất hiện nay", "", "current_user_name"),
    "a commune's name is not its code": ("Xã, phường", "", None),
}


@pytest.mark.parametrize("sentence", PERSONS_OF_HEADERS)
def test_a_header_goes_to_the_person_it_speaks_of(sentence: str) -> None:
    header, above, field = PERSONS_OF_HEADERS[sentence]
    assert field_of(header, above) == field


def read_headers(path: Path, headers: dict[str, str]) -> dict[str, str | None]:
    """The line of a sheet with these headers and one row of values."""
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("S")
        sheet.write_row(0, 0, list(headers))
        sheet.write_row(1, 0, list(headers.values()))
    return read_owners(path).lines.row(0, named=True)


def test_a_spouse_never_lends_the_owner_a_name_or_number(tmp_path: Path) -> None:
    row = {"Họ tên vợ/chồng": "B", "Năm sinh vợ": "1962", "Số CMND vợ/chồng": "2", "Giới tính vợ": "Nữ"}
    row |= {"Họ và tên": "A", "Số CCCD": "1", "Số phát hành": "BK 1", "Số thửa": "3", "Địa chỉ": "X"}
    line = read_headers(tmp_path / "a.xlsx", row)
    assert (line["owner_name"], line["owner_id_no"], line["owner_birth"], line["owner_sex"]) == ("A", "1", None, None)
    spouse = ("co_owner_name", "co_owner_birth", "co_owner_id_no", "co_owner_sex")
    assert tuple(line[c] for c in spouse) == ("B", "1962", "2", "Nữ")


def test_the_husband_owns_where_only_he_and_his_wife_have_columns(tmp_path: Path) -> None:
    row = {"Họ tên vợ": "B", "Năm sinh vợ": "1962", "Họ tên chồng": "A", "Năm sinh chồng": "1960"}
    line = read_headers(tmp_path / "a.xlsx", row | {"Số phát hành": "BK 1", "Số thửa": "3", "Địa chỉ": "X"})
    assert (line["owner_name"], line["owner_birth"], line["co_owner_name"]) == ("A", "1960", "B")


def test_a_bare_day_of_issue_dates_the_paper_it_stands_beside(tmp_path: Path) -> None:
    row = {"Họ và tên": "A", "Số giấy tờ": "1", "Nơi cấp": "QT", "Ngày cấp": "1/2/2000", "Địa chỉ": "X"}
    line = read_headers(tmp_path / "a.xlsx", row | {"Số phát hành": "BK 1", "Ngày cấp ": "3/4/2010", "Số thửa": "3"})
    assert (line["owner_id_date"], line["certificate_date"]) == ("1/2/2000", "3/4/2010")


def test_codes_of_kind_and_role() -> None:
    assert [kind_code(t) for t in ("VỢ CHỒNG", "Cộng đồng dân cư", "Đồng sử dụng", "")] == [
        "couple",
        "community",
        "co_ownership",
        None,
    ]
    assert [role_code(t) for t in ("Vợ", "Chủ hộ", "Chồng", "Vợ chồng?")] == ["wife", "head", "husband", "wife"]
