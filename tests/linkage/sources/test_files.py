"""Files that are not what they claim to be, or are made to do harm."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from linkage.errors import InputError, UnreadableFileError
from linkage.sources import read_owners, read_table

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600


def good_workbook(path: Path) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["owner_record_id", "owner_name"])
        sheet.write_row(1, 0, ["1", "Tý"])
    return path


def rezipped(path: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """The workbook with each member changed."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, change(name, content))
    return path


BAD_BYTES = {
    "an empty file is named": ("a.csv", b"", "the file is empty"),
    "a file of blank lines is named": ("a.csv", b"\n \n", "the file is empty"),
    "a PDF called workbook is named": (
        "a.xlsx",
        b"%PDF-1.7\n%\xe2\xe3",
        "expected an XLSX workbook, found a PDF document",
    ),
    "a PDF called CSV is named": ("a.csv", b"%PDF-1.7\n", "expected a text table, found a PDF document"),
    "a web page called workbook is named": (
        "a.xls",
        b"\r\n<html><table><tr>",
        "found an HTML page; open it in a spreadsheet",
    ),
    "a bare table called workbook is named": ("a.xls", b"\xef\xbb\xbf<TABLE border=1>", "found an HTML page"),
    "XML of 2003 is named": (
        "a.xls",
        b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
        "2003",
    ),
    "a CSV called workbook is named": (
        "a.xlsx",
        b"owner_record_id,owner_name\n1,a\n",
        "found a text table; rename it to .csv",
    ),
    "a gzip archive is named": ("a.csv", b"\x1f\x8b\x08\x00", "found a gzip archive; unpack it"),
    "binary data called CSV is named": ("a.csv", bytes(range(256)) * 20, "found binary data"),
    "a broken zip is named": ("a.xlsx", b"PK\x03\x04" + b"a" * 200, "damaged or cut short"),
    "a zip of something else is named": (
        "a.parquet",
        b"PK\x03\x04aaaa",
        "expected a Parquet file, found an XLSX workbook",
    ),
    "a cut Parquet file is named": ("a.parquet", b"PAR1" + b"\x15" * 300, "damaged or cut short"),
    "an encrypted workbook is named": (
        "a.xlsx",
        OLE + "EncryptedPackage".encode("utf-16-le"),
        "protected by a password",
    ),
    "a Word document called XLS is named": (
        "a.xls",
        OLE + "WordDocument".encode("utf-16-le"),
        "another Office document",
    ),
    "a broken XLS is named": ("a.xls", OLE + "Workbook".encode("utf-16-le"), "damaged or cut short"),
}


@pytest.mark.parametrize("case", BAD_BYTES)
def test_bad_bytes_get_one_clear_sentence(tmp_path: Path, case: str) -> None:
    name, content, sentence = BAD_BYTES[case]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableFileError) as refusal:
        read_owners(tmp_path / name)
    assert sentence in str(refusal.value)
    assert str(refusal.value).startswith(f"{name}: ")
    assert "\n" not in str(refusal.value)


def test_a_file_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.csv: no such file"):
        read_owners(tmp_path / "gone.csv")


def test_a_folder_without_tables_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="holds no table"):
        read_owners(tmp_path)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("kind", ["parquet", "xlsx"])
def test_a_file_cut_short_is_named(tmp_path: Path, kind: str, share: float) -> None:
    path = tmp_path / f"a.{kind}"
    if kind == "xlsx":
        good_workbook(path)
    else:
        pl.DataFrame({"owner_record_id": [str(i) for i in range(5000)], "owner_name": ["Tý"] * 5000}).write_parquet(
            path
        )
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(UnreadableFileError, match="damaged or cut short"):
        read_owners(path)


def test_a_parquet_file_with_a_damaged_page_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"owner_record_id": [f"x{i * 7919}" for i in range(5000)], "owner_name": ["Tý"] * 5000}).write_parquet(
        path
    )
    content = bytearray(path.read_bytes())
    content[60:400] = b"\xff" * 340
    path.write_bytes(bytes(content))
    with pytest.raises(UnreadableFileError, match="damaged"):
        read_owners(path)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = good_workbook(tmp_path / "bomb.xlsx")
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/media/x.bin", "w", force_zip64=True) as member,
    ):
        for _ in range(300):
            member.write(bytes(1 << 20))
    with pytest.raises(UnreadableFileError, match=r"bomb\.xlsx: unpacks to 300 MB"):
        read_owners(path)


def test_a_member_that_lies_about_its_size_is_damage(tmp_path: Path) -> None:
    path = rezipped(good_workbook(tmp_path / "liar.xlsx"), lambda _, content: content)
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    path.write_bytes(path.read_bytes().replace(size.to_bytes(4, "little"), (size // 2).to_bytes(4, "little")))
    with pytest.raises(UnreadableFileError, match="damaged"):
        read_owners(path)


def test_a_stray_cell_at_the_edge_of_the_sheet_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "far.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["owner_record_id", "owner_name"])
        sheet.write(1_048_575, 16_383, "x")
    with pytest.raises(UnreadableFileError, match="a cell stands at row 1,048,576, column 16,384"):
        read_owners(path)


def test_an_encrypted_zip_is_named(tmp_path: Path) -> None:
    path = good_workbook(tmp_path / "a.xlsx")
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(signature)
        while at >= 0:
            content[at + offset] |= 1
            at = content.find(signature, at + 1)
    path.write_bytes(bytes(content))
    with pytest.raises(UnreadableFileError, match="protected by a password"):
        read_owners(path)


def test_a_huge_cell_in_a_workbook_is_a_rejected_row(tmp_path: Path) -> None:
    path = rezipped(
        good_workbook(tmp_path / "a.xlsx"),
        lambda name, content: content.replace("Tý".encode(), b"x" * 5_000_000) if "sharedStrings" in name else content,
    )
    source = read_owners(path)
    assert (source.rows_read, source.lines.height) == (1, 0)
    assert source.rejected["reason"][0].startswith("cell-too-long")


def test_a_workbook_called_xls_that_is_xlsx_inside_is_read(tmp_path: Path) -> None:
    assert read_table(good_workbook(tmp_path / "a.xls")).rows_read == 1
