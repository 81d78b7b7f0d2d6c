from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from openpyxl.workbook import Workbook

from linkage.profile import REFUSALS
from tests.end_to_end.command import linked, links_of
from tests.end_to_end.conftest import Run, World

OURS = ["Kết quả", "Lý do", "Số định danh đề xuất", "Mức độ tin cậy", "Mã chủ sử dụng (quy chủ)"]
DANGEROUS = ['=HYPERLINK("http://x","y")', "+84912345678", "-1+1", "@SUM(A1)", "\t=1+1", "=cmd|' /C calc'!A0"]


def opened(run: Path) -> Workbook:
    return openpyxl.load_workbook(run / "links.xlsx")


def rows_of(book: Workbook) -> Iterator[dict[str, str | None]]:
    """The data rows of all sheets but the summary, in order."""
    for sheet in book.worksheets[1:]:
        headers = [cell.value for cell in next(sheet.iter_rows())]
        for row in sheet.iter_rows(min_row=2, values_only=True):
            yield dict(zip(headers, row, strict=True))


@pytest.fixture(scope="module")
def book(run: Run) -> Workbook:
    return opened(run.out)


@pytest.fixture(scope="module")
def dirty(world: World, model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[pl.DataFrame, Run]:
    """Lines of which some are refused and some hold what a spreadsheet would run."""
    place = tmp_path_factory.mktemp("dirty")
    lines = world.lines().head(60).with_row_index("n")
    ids = pl.when(pl.col("n") == 3).then(None).when(pl.col("n") == 5).then(pl.col("owner_record_id").first())
    formulas = pl.Series(DANGEROUS * 10)
    lines = lines.with_columns(
        owner_record_id=ids.otherwise("owner_record_id"),
        parcel_address=pl.when(pl.col("n") < 60).then(formulas),
        owner_name=pl.when(pl.col("n") == 7).then(None).otherwise("owner_name"),
    ).drop("n")
    lines.write_csv(place / "so.csv")
    told = ("--owners", place / "so.csv", "--citizens", world.citizens, "--model", model, "--out", place / "out")
    return lines, Run(place / "out", linked(*told))


def test_the_summary_comes_first_and_then_one_sheet_a_commune(book: Workbook, run: Run):
    communes = links_of(run.out).filter(pl.col("role") == "owner")["commune_code"].n_unique()
    assert book.sheetnames[0] == "Tổng hợp"
    assert len(book.sheetnames) == 1 + communes


def test_the_summary_adds_up_to_all_rows(book: Workbook, world: World):
    headers, *rows = book.worksheets[0].iter_rows(values_only=True)
    table = [dict(zip(headers, row, strict=True)) for row in rows]
    assert sum(int(row["Số dòng"]) for row in table) == world.lines().height
    for row in table:
        decided = [int(value) for name, value in row.items() if name not in {"Xã", "Số dòng"}]
        assert sum(decided) == int(row["Số dòng"])


def test_the_offices_own_columns_stand_first_in_their_order(book: Workbook, world: World):
    headers = [cell.value for cell in next(book.worksheets[1].iter_rows())]
    own = world.lines().columns
    assert headers[: len(own)] == own
    assert headers[len(own) : len(own) + len(OURS)] == OURS


def test_every_line_is_there_as_it_was_in_its_order(book: Workbook, world: World):
    lines = world.lines().with_columns(pl.all().cast(pl.String))
    found = pl.DataFrame(list(rows_of(book)), infer_schema_length=None).select(pl.col(lines.columns).cast(pl.String))
    place = {name: at for at, name in enumerate(lines["owner_record_id"])}
    for sheet in book.worksheets[1:]:
        column = [row[0] for row in sheet.iter_rows(min_row=2, max_col=1, values_only=True)]
        assert [place[name] for name in column] == sorted(place[name] for name in column)
    assert found.sort("owner_record_id").equals(lines.sort("owner_record_id"))


def test_the_decision_and_the_number_are_those_of_the_links(book: Workbook, run: Run):
    links = links_of(run.out).filter(pl.col("role") == "owner")
    proposed = dict(
        links.filter(pl.col("decision").is_in(["link", "ask", "review"]))
        .select("owner_record_id", "citizen_id")
        .iter_rows()
    )
    rows = {row["owner_record_id"]: row for row in rows_of(book)}
    assert {name: rows[name]["Số định danh đề xuất"] for name in proposed} == proposed
    assert all(row["Kết quả"] and row["Lý do"] for row in rows.values())


def test_ids_keep_their_leading_zeros_as_text(book: Workbook):
    numbers = [row["Số định danh đề xuất"] for row in rows_of(book)]
    given = [number for number in numbers if number]
    assert given
    assert all(isinstance(number, str) and len(number) == 12 and number.startswith("0") for number in given)


def test_no_cell_is_a_formula_or_a_number(book: Workbook, run_of_workbook: Run):
    for each in (book, opened(run_of_workbook.out)):
        for sheet in each.worksheets:
            assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "inlineStr"}
            values = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
            assert all(isinstance(cell.value, str) and cell.quotePrefix for cell in values)


def test_what_a_spreadsheet_would_run_stays_text(dirty: tuple[pl.DataFrame, Run]):
    lines, run = dirty
    book = opened(run.out)
    cells = {row["owner_record_id"]: row["parcel_address"] for row in rows_of(book)}
    assert {value for value in cells.values() if value} >= {text.strip() for text in DANGEROUS} - {"=1+1"}
    for sheet in book.worksheets:
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    assert len(list(rows_of(book))) == lines.height


def test_refused_rows_are_there_too_with_the_reason(dirty: tuple[pl.DataFrame, Run]):
    lines, run = dirty
    rejected = pl.read_parquet(run.out / "rejected.parquet")
    refused = [row for row in rows_of(opened(run.out)) if row["Kết quả"] == "Bị loại khi đọc"]
    assert rejected.select("row", pl.col("reason").str.extract("^([a-z-]+)")).sort("row").rows() == [
        (5, "missing-id"),
        (7, "duplicate-id"),
        (9, "missing-name"),
    ]
    assert len(refused) == 3
    assert all(row["Lý do"] for row in refused)
    assert sorted(row["owner_name"] or "" for row in refused) == sorted(
        lines["owner_name"].gather([3, 5, 7]).fill_null("").to_list()
    )


def test_an_officer_reads_the_reason_of_a_refusal_in_vietnamese(dirty: tuple[pl.DataFrame, Run]):
    refused = [row["Lý do"] for row in rows_of(opened(dirty[1].out)) if row["Kết quả"] == "Bị loại khi đọc"]
    assert not [reason for reason in refused if reason and reason.isascii()]


def test_a_refusal_of_one_file_is_not_told_of_the_same_row_of_another(world: World, model: Path, tmp_path: Path):
    folder, lines = tmp_path / "xã", world.lines().head(20).with_row_index("n")
    folder.mkdir()
    without_name = pl.when(pl.col("n") != 1).then("owner_name").alias("owner_name")
    without_id = pl.when(pl.col("n") != 11).then("owner_record_id").alias("owner_record_id")
    lines.head(10).with_columns(without_name).drop("n").write_csv(folder / "a.csv")
    lines.tail(10).with_columns(without_id).drop("n").write_csv(folder / "b.csv")
    out = tmp_path / "out"
    linked("--owners", folder, "--citizens", world.citizens, "--model", model, "--out", out)
    refused = [row for row in rows_of(opened(out)) if row["Kết quả"] == "Bị loại khi đọc"]
    assert sorted((bool(row["owner_name"]), row["Lý do"]) for row in refused) == [
        (False, REFUSALS["missing-name"].vietnamese),
        (True, REFUSALS["missing-id"].vietnamese),
    ]


def test_a_pl3_workbook_comes_back_in_its_own_columns(run_of_workbook: Run, world: World):
    book = opened(run_of_workbook.out)
    sheet = openpyxl.load_workbook(world.workbook)["PL3-01"]
    theirs = [value for row in sheet.iter_rows(max_row=6, values_only=True) for value in row if value == "Vai trò"]
    headers = [cell.value for cell in next(book.worksheets[1].iter_rows())]
    assert theirs
    assert headers.index("STT") == 0
    assert headers.index("Vai trò") < headers.index(OURS[0])
    rows = list(rows_of(book))
    filled = [row for row in sheet.iter_rows(min_row=7, values_only=True) if any(row)]
    assert len(rows) == len(filled)
    column = next(name for name in headers if name and name.startswith("Họ tên chủ sử dụng"))
    named = [row[headers.index(column)] for row in filled if row[headers.index(column)]]
    assert sorted(str(row[column]) for row in rows if row[column]) == sorted(map(str, named))
