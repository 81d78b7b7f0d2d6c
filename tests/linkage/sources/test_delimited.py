"""CSV files as offices write them."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from linkage.errors import ConfigError, UnreadableFileError
from linkage.sources import SourceMapping, original_rows, read_owners
from linkage.sources.delimited import decode_text, sniff_delimiter

TABLE = "owner_record_id{d}owner_name{d}owner_address\n1{d}Nguyễn Văn Hưởng{d}Thôn Đông\n2{d}Trần Thị Quý{d}Ấp Bắc\n"
MARKS = "\u0300\u0301\u0303\u0309\u0323"


def as_1258(text: str) -> bytes:
    """Windows-1258 writes tones as marks after the letter."""
    out = b""
    for letter in unicodedata.normalize("NFC", text):
        parts = unicodedata.normalize("NFD", letter)
        base = unicodedata.normalize("NFC", "".join(c for c in parts if c not in MARKS))
        out += (base + "".join(c for c in parts if c in MARKS)).encode("cp1258")
    return out


def names(path: Path, mapping: SourceMapping | None = None) -> list[str]:
    return read_owners(path, mapping or SourceMapping()).lines["owner_name"].to_list()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1258"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_each_encoding_and_delimiter_gives_the_same_names(tmp_path: Path, encoding: str, delimiter: str) -> None:
    text = TABLE.format(d=delimiter)
    path = tmp_path / "a.csv"
    path.write_bytes(as_1258(text) if encoding == "cp1258" else text.encode(encoding))
    assert names(path) == ["Nguyễn Văn Hưởng", "Trần Thị Quý"]


def test_tcvn3_bytes_pass_through_so_that_they_can_be_repaired(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"owner_record_id,owner_name\n1,Nguy\xd4n V\xa8n H\xadng\n2,Tr\xc7n Th\xde Th\xf1y\n")
    assert names(path) == ["NguyÔn V¨n H\u00adng", "TrÇn ThÞ Thñy"]


def test_vni_bytes_pass_through_so_that_they_can_be_repaired() -> None:
    raw = "Nguyeãn Vaên Huøng, Ñoã Thò Böôûi".encode("cp1252")
    assert decode_text(raw) == "Nguyeãn Vaên Huøng, Ñoã Thò Böôûi"


def test_one_stray_byte_in_a_utf8_file_costs_no_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(
        ("owner_record_id,owner_name\n" + "".join(f"{i},Nguyễn Tý\n" for i in range(50))).encode() + b"50,V\xa8n\n"
    )
    assert names(path)[-1] == "V¨n"
    assert names(path)[0] == "Nguyễn Tý"


def test_a_named_encoding_is_obeyed_and_an_unknown_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(as_1258(TABLE.format(d=",")))
    assert names(path, SourceMapping(encoding="cp1258"))[0] == "Nguyễn Văn Hưởng"
    with pytest.raises(ConfigError, match="no encoding is called 'viscii9'"):
        names(path, SourceMapping(encoding="viscii9"))
    with pytest.raises(UnreadableFileError, match="the text is not utf-8"):
        names(path, SourceMapping(encoding="utf-8"))


def test_excel_says_its_delimiter_in_a_line_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("\ufeffsep=;\r\nowner_record_id;owner_name\r\n1;Tý, Sửu\r\n".encode())
    source = read_owners(path)
    assert source.lines.select("owner_name", "row_number").rows() == [("Tý, Sửu", 3)]


def test_commas_inside_fields_do_not_mislead_the_delimiter() -> None:
    assert sniff_delimiter('a;b\n1;"x, y, z"\n2;u, v\n') == ";"
    assert sniff_delimiter("one column\nx\n") == ","


def test_quoted_fields_keep_their_delimiters_quotes_and_line_breaks(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('owner_record_id,owner_name\n1,"Tý ""Cả"", ông\nvà bà"\n2,Sửu "Hai"\n')
    assert names(path) == ['Tý "Cả", ông\nvà bà', 'Sửu "Hai"']


@pytest.mark.parametrize("pad", ["", '\n9,"x"\n8,5"6'])
def test_ragged_rows_are_rejected_with_their_numbers(tmp_path: Path, pad: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"owner_record_id,owner_name\n1,Tý\n2\n\n3,Sửu,Dần\n4,Mão{pad}\n")
    source = read_owners(path)
    assert source.rejected.select("row", "reason").with_columns().rows() == [
        (3, "ragged-row: the row has another number of fields than the header"),
        (5, "ragged-row: the row has another number of fields than the header"),
    ]
    assert source.lines["row_number"].to_list()[:2] == [2, 6]
    assert original_rows(path)["owner_record_id"].to_list()[:4] == ["1", "2", "3", "4"]


def test_a_quotation_mark_that_is_never_closed_costs_its_own_row_only(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('owner_record_id,owner_name\n1,Tý\n2,"Sửu\n' + "".join(f"{i},Dần\n" for i in range(3, 200)))
    source = read_owners(path)
    assert source.rejected.select("row", "reason").row(0)[0] == 3
    assert source.rows_read == 199
    assert source.lines.height == 198


def test_two_stray_quotation_marks_do_not_swallow_the_rows_between(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('owner_record_id,owner_name\n1,"Tý\n2,Sửu\n3,"Dần\n4,Mão\n')
    assert read_owners(path).lines["owner_name"].to_list() == ["Sửu", "Mão"]


def test_a_huge_cell_is_rejected_and_the_next_row_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("owner_record_id,owner_name\n1," + "x" * 5_000_000 + "\n2,Tý\n")
    source = read_owners(path)
    assert source.lines["owner_name"].to_list() == ["Tý"]
    assert source.rejected["reason"][0].startswith("cell-too-long")


def test_a_zero_byte_costs_its_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"owner_record_id,owner_name\n1,a\x00b\n2,c\n")
    source = read_owners(path)
    assert source.rejected["reason"][0].startswith("nul-byte")
    assert source.lines.height == 1


def test_a_spreadsheet_error_is_null_and_rejected_where_required(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("owner_record_id,owner_name,owner_birth\n1,Tý,#REF!\n2,#N/A,1960\n")
    source = read_owners(path)
    assert source.lines["owner_birth"].to_list() == [None]
    assert source.rejected["row"].to_list() == [3]


def test_numbers_of_rows_stay_right_over_many_blocks(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    lines = [f"{i},{'Nguyễn Văn Tý ' * 20}" if i % 1000 else f"{i}" for i in range(1, 40_000)]
    path.write_text("owner_record_id,owner_name\n" + "\n".join(lines))
    source = read_owners(path)
    assert (source.lines["owner_record_id"].cast(int) + 1 == source.lines["row_number"]).all()
    assert source.rejected["row"].to_list() == list(range(1001, 40_001, 1000))[:39]
