"""Every row ends in one place, whatever the file holds."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.errors import InputError, MissingColumnError
from linkage.schemas import CITIZEN_LINES, OWNER_LINES, REJECTED
from linkage.sources import SourceMapping, original_rows, read_citizens, read_owners, read_table

HISTORICAL = Path("tests/data/historical_50k.parquet")
CELL = st.text(alphabet='aăN1", ;\n\t#', max_size=6)


def write_csv(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.lists(CELL, min_size=3, max_size=3) | st.lists(CELL, min_size=1, max_size=4), max_size=8),
    name=st.sampled_from(["a.csv", "a.parquet"]),
)
def test_rows_read_are_used_or_rejected_and_each_stands_once(rows: list[list[str]], name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        if name == "a.csv":
            write_csv(path, "\n".join(["owner_record_id,owner_name,x", *(",".join(map(quoted, row)) for row in rows)]))
            filled = [row for row in rows if any(cell.strip() for cell in row)]
        else:
            rows = filled = [(row + [""] * 3)[:3] for row in rows]
            pl.DataFrame(
                filled, schema={"owner_record_id": pl.String, "owner_name": pl.String, "x": pl.String}, orient="row"
            ).write_parquet(path)
        source = read_owners(path)
        assert source.rows_read == source.lines.height + source.rejected.height
        if all(len(row) == 3 for row in rows):
            assert source.rows_read == len(filled)
        seen = [*source.lines["row_number"], *source.rejected["row"]]
        assert len(seen) == len(set(seen))
        assert sorted(seen) == original_rows(path)["row_number"].to_list()


@settings(max_examples=60, deadline=None)
@given(body=st.text(alphabet='ab",;\n\r', max_size=40))
def test_torn_text_never_ends_in_a_traceback(body: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write_csv(Path(folder) / "torn.csv", "owner_record_id,owner_name\n" + body)
        source = read_owners(path)
        assert source.rows_read == source.lines.height + source.rejected.height


def test_lines_and_rejected_follow_their_contracts(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", "owner_record_id,owner_name,colour\n1,Tý,red\n2,,\n")
    source = read_owners(path)
    assert OWNER_LINES.check(source.lines).columns == list(OWNER_LINES.columns)
    assert REJECTED.check(source.rejected).rows() == [
        ("a.csv", 3, "owner_name", None, "missing-name: 'owner_name' is empty or holds an error value")
    ]
    assert "colour" not in source.lines.columns
    assert source.columns_found == ("owner_record_id", "owner_name", "colour")


def test_a_row_refused_for_two_reasons_stands_once(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", f"owner_record_id,owner_name,owner_address\n,,{'x' * 20_000}\n")
    source = read_owners(path)
    assert source.rejected["reason"].str.split(":").list.first().to_list() == ["cell-too-long"]
    assert len(source.rejected["value"][0]) == 200


def test_the_first_good_row_of_a_repeated_id_is_kept(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", "owner_record_id,owner_name\n1,\n1,Tý\n1,Sửu\n")
    source = read_owners(path)
    assert source.lines["owner_name"].to_list() == ["Tý"]
    assert source.rejected["row"].to_list() == [2, 4]


def test_a_header_without_rows_reads_no_rows(tmp_path: Path) -> None:
    source = read_owners(write_csv(tmp_path / "a.csv", "owner_record_id,owner_name\n"))
    assert (source.rows_read, source.lines.height) == (0, 0)


def test_a_missing_column_is_named_with_the_columns_found(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", "owner_record_id,ten\n1,Tý\n")
    with pytest.raises(
        MissingColumnError, match=r"a\.csv: expected a column 'owner_name', found 'owner_record_id', 'ten'"
    ):
        read_owners(path)


def test_of_many_headers_the_eight_most_like_the_missing_one_are_named(tmp_path: Path) -> None:
    header = ",".join([f"x{letter}" for letter in "abcdefghijkl"] + ["Họ và tên lót"])
    with pytest.raises(MissingColumnError, match=r"'Họ và tên lót' and 5 more; rename one") as refusal:
        read_table(write_csv(tmp_path / "a.csv", f"{header}\n"), required=["full_name"])
    assert str(refusal.value).count("'x") == 7


def test_a_file_without_a_header_is_asked_for_one_and_shows_no_value(tmp_path: Path) -> None:
    with pytest.raises(MissingColumnError, match=r"\(not shown here\); add a header row\.$") as refusal:
        read_owners(write_csv(tmp_path / "a.csv", "1,Tý,045060012345\n2,Sửu,\n"))
    assert "Tý" not in str(refusal.value)


def test_a_mapped_column_that_is_not_there_is_refused_even_if_optional(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", "owner_record_id,owner_name\n1,Tý\n")
    with pytest.raises(MissingColumnError, match="'Năm'"):
        read_owners(path, SourceMapping(columns={"owner_birth": "Năm"}))


def test_a_foreign_header_is_renamed_by_the_mapping_and_a_constant_fills_a_column(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", "Mã;Họ Tên\n1;Tý\n")
    mapping = SourceMapping(
        columns={"owner_record_id": "ma", "owner_name": "Họ tên"}, constants={"commune_code": "19333"}
    )
    source = read_owners(path, mapping)
    assert source.lines.select("owner_name", "commune_code", "commune_code_vintage").row(0) == (
        "Tý",
        "19333",
        "before-2025-07-01",
    )


VIETNAMESE = ("STT", "Họ và tên", "Năm sinh", "Giới tính", "Số giấy tờ", "Địa chỉ", "Số phát hành")
VALUES = [("1", "Tý", "1960", "Nam", "045060012345", "Thôn 1", "BK 1"), ("2", "Sửu", "", "Nữ", "", "Thôn 2", "BK 2")]


def test_the_same_table_is_read_alike_as_text_and_as_a_workbook(tmp_path: Path) -> None:
    csv, workbook = tmp_path / "a.csv", tmp_path / "a.xlsx"
    write_csv(csv, "\n".join(";".join(row) for row in (VIETNAMESE, *VALUES)))
    with xlsxwriter.Workbook(str(workbook)) as book:
        sheet = book.add_worksheet("S")
        for number, row in enumerate((VIETNAMESE, *VALUES)):
            sheet.write_row(number, 0, row)
    text, cells = read_owners(csv), read_owners(workbook)
    ids = ("owner_record_id", "source_part")
    assert text.lines.drop(ids).equals(cells.lines.drop(ids))
    assert text.lines["owner_record_id"].to_list() == ["a.csv!2", "a.csv!3"]
    assert text.matched[0].used == cells.matched[0].used


def test_rows_of_such_text_are_accounted_for_and_keep_their_numbers(tmp_path: Path) -> None:
    rows = [VIETNAMESE, VALUES[0], ("",), ("1", "2", "3"), VALUES[1], ("", "Tổng cộng", *[""] * 5)]
    path = write_csv(tmp_path / "a.csv", "\n".join(",".join(row) for row in rows) + "\n")
    source = read_owners(path)
    assert source.lines["owner_record_id"].to_list() == ["a.csv!2", "a.csv!5"]
    assert sorted(source.rejected["row"].to_list()) == [4, 6]
    assert original_rows(path)["row_number"].to_list() == [2, 4, 5, 6]


def test_text_with_our_own_names_or_a_mapping_is_not_read_by_its_vietnamese_headers(tmp_path: Path) -> None:
    ours = ",".join(("owner_record_id", "owner_name", *VIETNAMESE))
    source = read_owners(write_csv(tmp_path / "a.csv", f"{ours}\nx,Dần,{','.join(VALUES[0])}\n"))
    assert source.lines.select("owner_record_id", "owner_name").row(0) == ("x", "Dần")
    path = write_csv(tmp_path / "b.csv", f"{','.join(VIETNAMESE)}\n{','.join(VALUES[0])}\n")
    mapping = SourceMapping(columns={"owner_record_id": "STT", "owner_name": "Họ và tên"})
    assert read_owners(path, mapping).lines["owner_record_id"].to_list() == ["1"]


def test_an_id_of_its_own_stands_before_the_place_of_the_line(tmp_path: Path) -> None:
    header = ",".join(("owner_record_id", *VIETNAMESE))
    source = read_owners(write_csv(tmp_path / "a.csv", f"{header}\nx,{','.join(VALUES[0])}\n"))
    assert source.lines["owner_record_id"].to_list() == ["x"]


def test_a_header_that_stands_twice_cannot_be_used(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", "owner_record_id,owner_name,owner_name\n1,Tý,Sửu\n")
    source = read_owners(path)
    assert source.columns_found[-1] == "owner_name_2"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("045085012345", "045085012345"),
        ("45085012345", "045085012345"),
        ("1085012345", "001085012345"),
        ("45085012345.0", "045085012345"),
        ("4.5085012345E+10", "045085012345"),
        ("4.5085E+10", None),
        ("194012345", None),
        ("04508501234X", None),
    ],
)
def test_a_citizen_number_is_twelve_digits_or_refused(tmp_path: Path, written: str, kept: str | None) -> None:
    source = read_citizens(write_csv(tmp_path / "c.csv", f"citizen_id,full_name\n{written},Tý\n"))
    assert source.lines["citizen_id"].to_list() == ([kept] if kept else [])
    assert source.rejected["value"].to_list() == ([] if kept else [written])
    CITIZEN_LINES.check(source.lines)


def test_two_spellings_of_one_citizen_number_are_one_number(tmp_path: Path) -> None:
    source = read_citizens(write_csv(tmp_path / "c.csv", "citizen_id,full_name\n045085012345,Tý\n45085012345,Sửu\n"))
    assert source.rejected["reason"].str.starts_with("duplicate-id").to_list() == [True]
    assert source.lines["commune_code_vintage"].to_list() == ["from-2025-07-01"]


def test_any_table_is_read_with_all_its_columns_as_text() -> None:
    source = read_table(HISTORICAL, required=["unique_id"], unique="unique_id")
    assert source.rows_read == source.lines.height == 50578
    assert set(pl.read_parquet_schema(HISTORICAL)) <= set(source.lines.columns)


def test_a_folder_is_read_as_one_table_in_which_ids_are_unique(tmp_path: Path) -> None:
    write_csv(tmp_path / "b.csv", "owner_record_id,owner_name\n1,Tý\n")
    pl.DataFrame({"owner_record_id": [1, 2], "owner_name": ["Sửu", "Dần"]}).write_parquet(tmp_path / "a.parquet")
    (tmp_path / "readme.md").write_text("no table")
    source = read_owners(tmp_path)
    assert source.lines["owner_name"].to_list() == ["Sửu", "Dần"]
    assert source.rejected.select("file", "row").rows() == [("b.csv", 2)]
    assert original_rows(tmp_path)["source_part"].to_list() == ["a.parquet", "a.parquet", "b.csv"]


def test_a_nested_column_is_refused_only_where_it_is_used(tmp_path: Path) -> None:
    path = tmp_path / "n.parquet"
    pl.DataFrame({"owner_record_id": ["1"], "owner_name": [["Tý", "Sửu"]], "tags": [["a"]]}).write_parquet(path)
    with pytest.raises(InputError, match="'owner_name' holds lists"):
        read_owners(path)
    renamed = SourceMapping(columns={"owner_name": "owner_record_id"})
    assert read_owners(path, renamed).lines.height == 1
    assert original_rows(path)["tags"].to_list() == ['{"tags":["a"]}']


def test_parquet_types_become_text_without_damage(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    frame = pl.DataFrame(
        {
            "owner_record_id": pl.Series(["a", "b"], dtype=pl.Categorical),
            "owner_name": pl.Series(["Tý".encode(), "Tý".encode("cp1252")], dtype=pl.Binary),
            "owner_id_no": [45085012345.0, None],
            "area_m2": [120.5, float("nan")],
            "owner_birth": pl.Series(["1960-02-01", None]).str.to_date(),
            "parcel_no": [7, None],
        }
    )
    frame.write_parquet(path)
    lines = read_owners(path).lines.select(frame.columns)
    assert lines.row(0) == ("a", "Tý", "45085012345", "120.5", "1960-02-01", "7")
    assert lines.row(1) == ("b", "Tý", None, None, None, None)
