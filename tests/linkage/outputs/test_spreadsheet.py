"""Workbooks as the readers of offices see them: openpyxl, calamine, and LibreOffice where it is installed."""

from __future__ import annotations

import re
import subprocess
import zipfile
from io import BytesIO
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from linkage.errors import LinkageError, RunFolderError
from linkage.outputs import sheet_xml, spreadsheet
from linkage.outputs.sheet_xml import rows_xml
from linkage.outputs.spreadsheet import Sheet, sheet_name, split_by, write_workbook
from scripts.system_tools import TOOLS

HARD_TEXTS = {
    "a formula": "=1+1",
    "a sum by plus": "+84 912",
    "a sum by minus": "-1",
    "an old formula sign": "@SUM(A1)",
    "a remote call": "=cmd|' /C calc'!A0",
    "an id with zeros": "001096012345",
    "a number too long": "123456789012345678",
    "markup": '<b a="1">&amp;</b>',
    "a tab inside": "a\tb",
    "lines": "Thửa 1\nThửa 2",
    "blanks around": "  Nguyễn Văn A ",
    "two blanks inside": "a  b",
    "only a blank": " ",
    "emoji": "nhà 🏠 số 5",
    "decomposed letters": "Nguyê\u0303n",
    "no-break space": "a\u00a0b",
}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(list(HARD_TEXTS.values()))


def with_openpyxl(path: Path | BytesIO) -> dict[str, list[list[str | None]]]:
    book = openpyxl.load_workbook(path)
    return {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book}


def with_calamine(path: Path) -> dict[str, list[list[object]]]:
    book = CalamineWorkbook.from_path(path)
    return {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}


def as_cell(text: str | None) -> str | None:
    """What a cell holds of `text`: line ends as one character, without what XML forbids."""
    lines = re.sub(r"\r\n?", "\n", text or "")
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", lines) or None


def as_stored(text: str | None) -> str | None:
    """`as_cell` as seen by openpyxl, which does not undo the escape that keeps `_x0041_` from turning into `A`."""
    cell = as_cell(text)
    return cell.replace("_x", "_x005F_x") if cell and re.search("_x[0-9A-Fa-f]{4}_", cell) else cell


@pytest.mark.parametrize("text", HARD_TEXTS.values(), ids=HARD_TEXTS.keys())
def test_a_hard_text_is_read_back_as_it_was(tmp_path: Path, text: str) -> None:
    path = tmp_path / "links.xlsx"
    write_workbook(path, [Sheet("Trang", pl.DataFrame({"a": [text], "b": ["end"]}))])
    assert with_openpyxl(path)["Trang"] == [["a", "b"], [text, "end"]]
    assert with_calamine(path)["Trang"] == [["a", "b"], [text, "end"]]


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(st.none() | texts, st.none() | texts, st.none() | texts), min_size=1, max_size=8))
def test_any_text_is_read_back_equal_by_openpyxl(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str | None, ...]]
) -> None:
    path = tmp_path_factory.mktemp("book") / "links.xlsx"
    frame = pl.DataFrame(rows, schema={"a": pl.String, "b": pl.String, "c": pl.String}, orient="row")
    write_workbook(path, [Sheet("Trang", frame.with_columns(end=pl.lit(".")))])
    expected = [[*map(as_stored, row), "."] for row in rows]
    assert with_openpyxl(path)["Trang"][1:] == expected
    calamine = [[cell or None for cell in row] for row in with_calamine(path)["Trang"][1:]]
    assert calamine in ([[*map(as_cell, row), "."] for row in rows], expected)


def test_every_cell_is_text_that_editing_cannot_turn_into_a_formula(tmp_path: Path) -> None:
    path = tmp_path / "links.xlsx"
    write_workbook(path, [Sheet("Trang", pl.DataFrame({"=a": ["=1+1", "007"]}))])
    for row in openpyxl.load_workbook(path)["Trang"].iter_rows():
        for cell in row:
            assert (cell.data_type, cell.number_format, cell.quotePrefix) == ("s", "@", True)
    assert "<f" not in zipfile.ZipFile(path).read("xl/worksheets/sheet1.xml").decode()


def test_an_excel_escape_in_a_text_stays_literal() -> None:
    xml = bytes(rows_xml(pl.DataFrame({"a": ["_x0041_", "_x0041_x0042_", "_xyz_", "a_x004"]}), 2).data).decode()
    assert re.findall("<t>(.*?)</t>", xml) == [
        "_x005F_x0041_", "_x005F_x0041_x005F_x0042_", "_xyz_", "a_x004"
    ]  # fmt: skip


def test_numbers_are_cells_of_text_unless_the_caller_says_otherwise(tmp_path: Path) -> None:
    frame = pl.DataFrame({"text": [7, None], "number": [7, 8], "share": [0.25, float("nan")]})
    path = tmp_path / "links.xlsx"
    write_workbook(path, [Sheet("Trang", frame, numeric={"number", "share"})])
    assert with_openpyxl(path)["Trang"][1:] == [["7", 7, 0.25], [None, 8, "NaN"]]


def test_a_value_hidden_under_a_null_does_not_come_out(tmp_path: Path) -> None:
    texts = pl.DataFrame({"a": [" Nguyễn Văn & con, một chuỗi dài", "x"], "shown": [False, True]})
    frame = texts.select(pl.when("shown").then("a"), "shown")
    write_workbook(tmp_path / "links.xlsx", [Sheet("Trang", frame)])
    assert with_openpyxl(tmp_path / "links.xlsx")["Trang"][1:] == [[None, "false"], ["x", "true"]]


@pytest.mark.parametrize(
    ("text", "kept"),
    [("a" * 32_767, 32_767), ("a" * 32_768, 32_767), ("ữ" * 32_767, 32_767), ("🏠" * 16_384, 16_383)],
    ids=["just fits", "one too long", "fits though long in bytes", "is not cut inside a character"],
)
def test_a_long_text_is_cut_where_excel_would(tmp_path: Path, text: str, kept: int) -> None:
    path = tmp_path / "links.xlsx"
    written = write_workbook(path, [Sheet("Trang", pl.DataFrame({"a": [None, text, "b"]}))])
    assert with_openpyxl(path)["Trang"][2][0] == text[:kept]
    assert written.cut_cells == int(len(text) > kept)


def test_a_sheet_beyond_the_limit_goes_on_in_a_second_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheet, "MAX_SHEET_ROWS", 4)
    path = tmp_path / "links.xlsx"
    chunks = (pl.DataFrame({"a": [str(start), str(start + 1)]}) for start in range(0, 8, 2))
    written = write_workbook(path, [Sheet("Xã A", chunks), Sheet("xã a", pl.DataFrame({"a": ["x", "y", "z"]}))])
    assert [(sheet.name, sheet.rows) for sheet in written.sheets] == [
        ("Xã A", 3), ("Xã A (2)", 3), ("Xã A (3)", 2), ("xã a (4)", 3)
    ]  # fmt: skip
    book = with_openpyxl(path)
    assert [row[0] for name in list(book)[:3] for row in book[name][1:]] == [str(number) for number in range(8)]
    assert all(rows[0] == ["a"] for rows in book.values())


def test_rows_are_split_by_commune_in_order_of_first_appearance_and_keep_their_order(tmp_path: Path) -> None:
    frame = pl.DataFrame({"xa": ["2", "1", None, "2"], "n": ["a", "b", "c", "d"]})
    names = {"1": "Xã Một", "2": "Xã Hai"}
    sheets = split_by(frame, "xa", lambda code: names.get(code or "", "Không rõ xã"), Sheet("", frame, {"n": "Tên"}))
    path = tmp_path / "links.xlsx"
    write_workbook(path, [Sheet("Tổng hợp", pl.DataFrame({"Xã": ["Xã Một"]})), *sheets])
    book = with_openpyxl(path)
    assert list(book) == ["Tổng hợp", "Xã Hai", "Xã Một", "Không rõ xã"]
    assert book["Xã Hai"] == [["xa", "Tên"], ["2", "a"], ["2", "d"]]
    assert book["Không rõ xã"] == [["xa", "Tên"], [None, "c"]]


@pytest.mark.parametrize(
    ("wanted", "name"),
    {
        "Phường Thủ Đức": "Phường Thủ Đức",
        "a" * 40: "a" * 31,
        "🏠" * 20: "🏠" * 15,
        "'Xã'": "Xã",
        "A\x00\nB": "AB",
        "History": "History-",
        "/": "-",
        " ": "Trang",
    }.items(),
)
def test_a_sheet_name_is_one_excel_allows(wanted: str, name: str) -> None:
    assert sheet_name(wanted) == name


def test_a_taken_name_of_full_length_still_becomes_unique() -> None:
    assert sheet_name("a" * 40, {"a" * 31, "a" * 27 + " (2)"}) == "a" * 27 + " (3)"


def test_the_header_is_frozen_and_filtered_and_columns_have_their_width(tmp_path: Path) -> None:
    path = tmp_path / "links.xlsx"
    write_workbook(path, [Sheet("O'Nhà", pl.DataFrame({"a": ["1"], "b": ["2"]}), column_widths={"b": 40})])
    sheet = openpyxl.load_workbook(path)["O'Nhà"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref, sheet.column_dimensions["B"].width) == ("A2", "A1:B2", 40)


def test_no_sheets_no_columns_and_no_rows_still_make_a_workbook(tmp_path: Path) -> None:
    path = tmp_path / "links.xlsx"
    write_workbook(path, [])
    assert list(with_openpyxl(path)) == ["Trang"]
    write_workbook(path, [Sheet("Rỗng", pl.DataFrame(schema={"a": pl.String})), Sheet("Không", iter(()), {"x": "X"})])
    assert [rows[0] for rows in with_openpyxl(path).values()] == [["a"], ["X"]]


def test_a_sheet_too_wide_for_excel_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    wide = pl.DataFrame({str(number): ["x"] for number in range(16_385)})
    with pytest.raises(LinkageError, match="at most 16384 columns, found 16385"):
        write_workbook(tmp_path / "links.xlsx", [Sheet("Trang", wide)])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"links\.xlsx: could not be written"):
        write_workbook(tmp_path / "absent" / "links.xlsx", [])


def test_pieces_of_any_size_give_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pl.DataFrame({"a": [f"số {n}" if n % 3 else None for n in range(500)], "b": ["&" * n for n in range(500)]})
    write_workbook(tmp_path / "one.xlsx", [Sheet("Trang", frame)])
    monkeypatch.setattr(spreadsheet, "_CELLS_PER_CHUNK", 14)
    monkeypatch.setattr(spreadsheet, "_BYTES_PER_CHUNK", 300)
    write_workbook(tmp_path / "two.xlsx", [Sheet("Trang", frame)])
    part = "xl/worksheets/sheet1.xml"
    one, two = (zipfile.ZipFile(tmp_path / name).read(part) for name in ("one.xlsx", "two.xlsx"))
    assert one == two


@pytest.mark.needs("libreoffice")
def test_libreoffice_reads_every_text_as_text(tmp_path: Path) -> None:
    office = str(TOOLS["libreoffice"].path())
    texts_without_layout = {name: text for name, text in HARD_TEXTS.items() if "\n" not in text}
    frame = pl.DataFrame({"a": [*texts_without_layout.values(), "_x0041_", "_x0041_x0042_"]})
    write_workbook(tmp_path / "links.xlsx", [Sheet("Trang", frame)])
    command = [office, f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless", "--convert-to"]
    command += ["csv:Text - txt - csv (StarCalc):9,34,76", "--outdir", str(tmp_path), str(tmp_path / "links.xlsx")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "error" not in done.stderr.lower()
    read = pl.read_csv(tmp_path / "links.csv", separator="\t", infer_schema=False, quote_char='"')
    assert read["a"].to_list() == frame["a"].to_list()


def test_column_letters_go_on_after_z() -> None:
    assert sheet_xml.column_letters(spreadsheet.MAX_SHEET_COLUMNS - 1) == "XFD"
