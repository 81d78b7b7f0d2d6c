"""Plain tables in workbooks."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import xlsxwriter

from linkage.errors import ConfigError, MissingColumnError, UnreadableFileError
from linkage.sources import SourceMapping, original_rows, read_citizens, read_owners

OLD = Path(__file__).parent / "data" / "plain.xls"


def test_cells_become_text_without_losing_a_digit(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        zeros, date = book.add_format({"num_format": "000000000000"}), book.add_format({"num_format": "dd/mm/yyyy"})
        headers = [
            "owner_record_id",
            "owner_name",
            "owner_id_no",
            "owner_birth",
            "certificate_date",
            "area_m2",
            "parcel_no",
        ]
        sheet.write_row(0, 0, headers)
        sheet.write_row(1, 0, [1, "Tý"])
        sheet.write_number(1, 2, 45085012345, zeros)
        sheet.write_number(1, 3, 1960)
        sheet.write_datetime(1, 4, dt.datetime(2009, 5, 12), date)  # noqa: DTZ001  # a cell knows no zone
        sheet.write_number(1, 5, 120.5)
        sheet.write_formula(1, 6, "=3+4", None, 7)
    row = read_owners(path).lines.select(headers).row(0)
    assert row == ("1", "Tý", "45085012345", "1960", "2009-05-12", "120.5", "7")


def test_a_title_above_and_blank_columns_beside_the_table_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 2, "Danh sách công dân")
        sheet.write_row(3, 2, ["Full Name", "CITIZEN ID"])
        sheet.write_row(5, 2, ["Tý", 45085012345])
    source = read_citizens(path)
    assert source.lines.select("citizen_id", "full_name", "row_number").row(0) == ("045085012345", "Tý", 6)
    assert original_rows(path).columns[2:] == ["Full Name", "CITIZEN ID"]


def two_sheets(path: Path) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        for name, number in (("Thôn 1", "1"), ("Thôn 2", "2"), ("Cũ", "3")):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, ["owner_record_id", "owner_name"])
            sheet.write_row(1, 0, [number, "Tý"])
        sheet.hide()
        book.add_worksheet("Ghi chú").write(0, 0, "Không sửa")
    return path


def test_all_visible_sheets_with_the_columns_are_one_table(tmp_path: Path) -> None:
    source = read_owners(two_sheets(tmp_path / "a.xlsx"))
    assert source.lines.select("owner_record_id", "source_part").rows() == [
        ("1", "a.xlsx#Thôn 1"),
        ("2", "a.xlsx#Thôn 2"),
    ]
    assert source.notes == (
        "a.xlsx: sheet 'Cũ' is hidden and was not read",
        "a.xlsx#Ghi chú: the sheet lacks a required column and was not read",
    )


def test_the_sheet_that_the_config_names_is_read_alone_even_if_hidden(tmp_path: Path) -> None:
    path = two_sheets(tmp_path / "a.xlsx")
    assert read_owners(path, SourceMapping(sheet="Cũ")).lines["owner_record_id"].to_list() == ["3"]
    with pytest.raises(ConfigError, match="expected a sheet 'Thôn 9', found 'Thôn 1', 'Thôn 2'"):
        read_owners(path, SourceMapping(sheet="Thôn 9"))


def test_a_workbook_without_the_columns_names_those_it_has(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        book.add_worksheet().write_row(0, 0, ["owner_record_id", "tên"])
    with pytest.raises(MissingColumnError, match=r"'owner_name', found 'owner_record_id', 'tên'"):
        read_owners(tmp_path / "a.xlsx")


def test_a_workbook_of_blank_sheets_is_bad_input(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        book.add_worksheet()
    with pytest.raises(UnreadableFileError, match="no visible sheet holds a table"):
        read_owners(tmp_path / "a.xlsx")


def test_an_old_xls_workbook_is_read(tmp_path: Path) -> None:
    source = read_owners(OLD)
    assert source.lines.select("owner_record_id", "owner_name", "owner_id_no").rows() == [
        ("1", "Nguyễn Văn Tý", "45085012345")
    ]
    cut = tmp_path / "cut.xls"
    cut.write_bytes(OLD.read_bytes()[:2000])
    with pytest.raises(UnreadableFileError):
        read_owners(cut)
