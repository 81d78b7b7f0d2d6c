"""Each kind of bad input ends in one sentence and exit code 1, or in `rejected.parquet` and a finished run."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import polars as pl
import pytest
import xlsxwriter

from linkage.normalise.encodings_legacy import decode_tcvn3
from tests.end_to_end.command import Done, linked, links_of, manifest_of, quychu, quychu_here
from tests.end_to_end.conftest import World

SECRET_NAME, SECRET_NUMBER = "Hoàng Thị Tuyệt Mật", "045171999999"
HEADER = "owner_record_id,owner_name,owner_birth,owner_sex,owner_id_no"
ROW = f"1,{SECRET_NAME},1971,F,{SECRET_NUMBER}"


def words_of_link(owners: Path, world: World, out: Path, model: Path) -> tuple[object, ...]:
    return ("link", "--owners", owners, "--citizens", world.citizens, "--model", model, "--out", out, "--no-workbook")


def link(owners: Path, world: World, out: Path, model: Path, *more: object) -> Done:
    return quychu(*words_of_link(owners, world, out, model), *more)


@pytest.fixture
def link_here(world: World, capfd: pytest.CaptureFixture[str]) -> Callable[[Path, Path, Path], Done]:
    """The same within this process: owners, output folder, model."""
    return lambda owners, out, model: quychu_here(capfd, *words_of_link(owners, world, out, model))


def is_silent_about_people(done: Done) -> bool:
    return not any(value in done.told for value in (SECRET_NAME, SECRET_NUMBER, "Tuyệt Mật", "1971"))


# ---- one sentence -------------------------------------------------------------------------------------------------


def _missing_column(path: Path) -> None:
    path.write_text(f"owner_record_id,ho_va_ten\n1,{SECRET_NAME}\n", encoding="utf-8")


def _without_header(path: Path) -> None:
    path.write_text(f"{ROW}\n2,Lê Văn An,1960,M,045060012345\n", encoding="utf-8")


def _header_twice(path: Path) -> None:
    pl.DataFrame({"owner_record_id": ["1"], "owner_name": [[SECRET_NAME]]}).write_parquet(path)


def _truncated_parquet(path: Path) -> None:
    pl.DataFrame({"owner_record_id": ["1"], "owner_name": [SECRET_NAME]}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-40])


def _truncated_in_the_middle(path: Path) -> None:
    names = pl.Series([f"{SECRET_NAME} {n}" for n in range(20_000)])
    pl.DataFrame({"owner_record_id": names, "owner_name": names}).write_parquet(path)
    content = path.read_bytes()
    path.write_bytes(content[:4000] + b"\0" * (len(content) - 8000) + content[-4000:])


def _renamed_pdf(path: Path) -> None:
    path.write_bytes(b"%PDF-1.7\n" + SECRET_NAME.encode() * 100)


def _renamed_web_page(path: Path) -> None:
    path.write_text(f"<html><table><tr><td>{SECRET_NAME}</td></tr></table></html>", encoding="utf-8")


def _truncated_workbook(path: Path) -> None:
    _plain_workbook(path)
    path.write_bytes(path.read_bytes()[:-200])


def _plain_workbook(path: Path) -> None:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER.split(","))
        sheet.write_row(1, 0, ROW.split(","))


def _zip_bomb(path: Path) -> None:
    _plain_workbook(path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/bomb.xml", "w") as bomb:
        for _ in range(300):
            bomb.write(b" " * 2**20)


def _stray_far_cell(path: Path) -> None:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER.split(","))
        sheet.write(1_048_575, 16_383, SECRET_NAME)


def _locked_workbook(path: Path) -> None:
    # What Excel writes for a workbook with a password: an OLE container with an encrypted package.
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504 + "EncryptedPackage".encode("utf-16-le"))


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _blank(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf \r\n\r\n")


def _empty_workbook(path: Path) -> None:
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet()


def _absent(path: Path) -> None:
    assert not path.exists()


def _picture(path: Path) -> None:
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 100)


REFUSED: dict[str, tuple[str, Callable[[Path], None], tuple[str, ...]]] = {
    "a missing column": ("so.csv", _missing_column, ("owner_name", "ho_va_ten", "sources.owners.columns")),
    "a table without a header": ("so.csv", _without_header, ("owner_record_id",)),
    "a column of lists": ("so.parquet", _header_twice, ("owner_name",)),
    "a truncated Parquet file": ("so.parquet", _truncated_parquet, ("cut short",)),
    "a Parquet file damaged inside": ("so.parquet", _truncated_in_the_middle, ("damaged",)),
    "a PDF named as a workbook": ("so.xlsx", _renamed_pdf, ("PDF",)),
    "a PDF named as Parquet": ("so.parquet", _renamed_pdf, ("PDF",)),
    "a web page named as an old workbook": ("so.xls", _renamed_web_page, ("HTML",)),
    "a truncated workbook": ("so.xlsx", _truncated_workbook, ("cut short",)),
    "a zip bomb": ("so.xlsx", _zip_bomb, ("unpacks to",)),
    "a cell at the far end of a sheet": ("so.xlsx", _stray_far_cell, ("stray cell",)),
    "a workbook with a password": ("so.xlsx", _locked_workbook, ("password",)),
    "an empty file": ("so.csv", _empty, ("empty",)),
    "a file of blanks": ("so.csv", _blank, ()),
    "an empty workbook": ("so.xlsx", _empty_workbook, ()),
    "a file that does not exist": ("so.xlsx", _absent, ("no such file",)),
    "a picture": ("so.csv", _picture, ("picture",)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_one_sentence_refuses(case: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    name, make, words = REFUSED[case]
    make(tmp_path / name)
    done = quychu_here(capfd, "check", "--owners", tmp_path / name)
    sentence = done.refusal
    assert sentence.startswith(name)
    assert all(word in sentence for word in words), sentence
    assert str(tmp_path) not in sentence
    assert is_silent_about_people(done), sentence


def test_a_run_stops_at_once_and_can_be_run_again_with_the_right_file(world: World, model: Path, tmp_path: Path):
    name, make, _ = REFUSED["a truncated Parquet file"]
    make(tmp_path / name)
    done = link(tmp_path / name, world, tmp_path / "out", model)
    assert done.refusal.startswith(name)
    right = tmp_path / "right.parquet"
    world.lines().head(50).write_parquet(right)
    again = link(right, world, tmp_path / "out", model, "--fresh")
    assert again.code == 0, again.told


def test_citizens_are_refused_by_the_same_rules(world: World, tmp_path: Path):
    name, make, _ = REFUSED["a PDF named as a workbook"]
    make(tmp_path / name)
    done = quychu("check", "--owners", world.owners, "--citizens", tmp_path / name)
    assert done.refusal.startswith(name)
    assert is_silent_about_people(done)


@pytest.mark.parametrize(
    ("content", "word"),
    [("[decide\n", "TOML"), ("[decide]\nlinkat = 1\n", "linkat"), ("[decide]\nask_at = 'often'\n", "decide.ask_at")],
)
def test_a_wrong_config_is_one_sentence(
    content: str, word: str, world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    config = tmp_path / "mine.toml"
    shipped = Path(__file__).parents[2] / "configs" / "land-register.toml"
    text = shipped.read_text(encoding="utf-8").replace("ask_at = 0.1\n", "")
    config.write_text(text.replace("[decide]\n", content), encoding="utf-8")
    assert word in quychu_here(capfd, "check", "--owners", world.owners, "--config", config).refusal


@pytest.mark.parametrize("content", ["not json", '{"format": 1, "splink": {}}'])
def test_a_file_that_is_no_model_is_one_sentence(content: str, link_here, world: World, tmp_path: Path):
    model = tmp_path / "model.json"
    model.write_text(content)
    assert "model.json" in link_here(world.owners, tmp_path / "out", model).refusal


# ---- an entry in rejected.parquet, and a finished run ---------------------------------------------------------


def reasons(out: Path) -> list[tuple[str, int, str]]:
    table = pl.read_parquet(out / "rejected.parquet").sort("file", "row")
    return [
        (file, row, reason.split(":")[0]) for file, row, reason in table.select("file", "row", "reason").iter_rows()
    ]


def is_accounted_for(out: Path) -> bool:
    counts = manifest_of(out)["counts"]
    read, used, rejected = counts["rows_read"], counts["rows_used"], counts["rows_rejected"]
    links = links_of(out)
    return bool(read == used + rejected and links["owner_record_id"].n_unique() == used)


def test_rows_without_an_id_or_with_one_that_stood_before_are_rejected(link_here, model: Path, tmp_path: Path):
    owners = tmp_path / "so.csv"
    owners.write_text(
        f"{HEADER}\n{ROW}\n,{SECRET_NAME},,,\n1,Lê Văn An,,,\n2,,,,\n"
        "3,#REF!,,,\n4,Lê Văn Ân,1950,M,\n5,Lê,Thừa,1,2,3\n",
        encoding="utf-8",
    )
    done = link_here(owners, tmp_path / "out", model)
    assert done.code == 0, done.told
    assert reasons(tmp_path / "out") == [
        ("so.csv", 3, "missing-id"),
        ("so.csv", 4, "duplicate-id"),
        ("so.csv", 5, "missing-name"),
        ("so.csv", 6, "missing-name"),
        ("so.csv", 8, "ragged-row"),
    ]
    assert is_accounted_for(tmp_path / "out")
    assert is_silent_about_people(done)


def test_citizens_without_a_number_are_rejected_and_counted(world: World, model: Path, tmp_path: Path):
    citizens = tmp_path / "dan-cu.csv"
    rows = pl.read_parquet(world.citizens)
    bad = rows.head(3).with_columns(citizen_id=pl.Series([None, "12", rows["citizen_id"][5]]))
    pl.concat([rows, bad]).write_csv(citizens)
    lines = tmp_path / "so.parquet"
    world.lines().head(50).write_parquet(lines)
    words = ("--owners", lines, "--citizens", citizens, "--model", model, "--out", tmp_path / "out", "--no-workbook")
    linked(*words)
    assert [reason for _, _, reason in reasons(tmp_path / "out")] == ["missing-id", "bad-citizen-id", "duplicate-id"]
    assert manifest_of(tmp_path / "out")["counts"]["citizens_rejected"] == 3


def test_a_cell_of_100_mb_is_rejected_and_the_run_finishes(world: World, model: Path, tmp_path: Path):
    huge = "Nguyễn " * 11_000_000  # 100 MB of UTF-8
    lines = world.lines().head(20).with_row_index("n")
    lines = lines.with_columns(owner_name=pl.when(pl.col("n") == 4).then(pl.lit(huge)).otherwise("owner_name")).drop(
        "n"
    )
    lines.write_csv(tmp_path / "so.csv")
    done = link(tmp_path / "so.csv", world, tmp_path / "out", model)
    assert done.code == 0, done.told
    assert reasons(tmp_path / "out") == [("so.csv", 6, "cell-too-long")]
    assert is_accounted_for(tmp_path / "out")
    value = pl.read_parquet(tmp_path / "out" / "rejected.parquet")["value"][0]
    assert len(value) <= 200


def test_a_formula_gives_the_value_it_had_when_the_file_was_saved(world: World, model: Path, tmp_path: Path):
    owners = tmp_path / "so.xlsx"
    with xlsxwriter.Workbook(owners) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER.split(","))
        sheet.write_row(1, 0, ["1", "", "", "", ""])
        sheet.write_formula(1, 1, '="Lê Văn "&"An"', value="Lê Văn An")
        sheet.write_row(2, 0, ["2", "", "", "", ""])
        sheet.write_formula(2, 1, "=#REF!A1", value="#REF!")
    words = ("--owners", owners, "--citizens", world.citizens, "--model", model, "--out", tmp_path / "out")
    linked(*words)
    assert pl.read_parquet(tmp_path / "out" / "persons.parquet")["name"].to_list() == ["Lê Văn An"]
    assert [reason for _, _, reason in reasons(tmp_path / "out")] == ["missing-name"]
    for sheet in openpyxl.load_workbook(tmp_path / "out" / "links.xlsx").worksheets:
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)


# ---- encodings ---------------------------------------------------------------------------------------------------


TCVN3 = {
    letter: chr(code)
    for code in range(0xA1, 0x100)
    if (letter := decode_tcvn3(chr(code))) and len(letter) == 1 and letter != chr(code)
}
VNI = str.maketrans(
    {"ễ": "eã", "ă": "aê", "ù": "uø", "ị": "ò", "ô": "oâ", "ầ": "aà", "ồ": "oà", "ú": "uù", "ó": "où", "đ": "ñ"}
    | {"Đ": "Ñ", "ạ": "aï", "ỗ": "oã", "ậ": "aä", "ờ": "ôø", "ư": "ö", "ơ": "ô"}
)
NAMES = ["Nguyễn Văn Hùng", "Trần Thị Hồng", "Đỗ Văn Đạt", "Nguyễn Thị Lan"]


@pytest.mark.parametrize(
    ("encoding", "write"),
    [
        ("tcvn3", lambda text: "".join(TCVN3.get(char, char) for char in text).encode("latin-1")),
        ("vni", lambda text: text.translate(VNI).encode("cp1252")),
        ("utf-16-be without a mark", lambda text: text.encode("utf-16-be")),
    ],
)
def test_a_csv_in_another_encoding_keeps_its_names(encoding: str, write, link_here, model: Path, tmp_path: Path):
    owners = tmp_path / "so.csv"
    rows = "".join(f"{n},{name},19{50 + n},,\n" for n, name in enumerate(NAMES))
    owners.write_bytes(write(f"{HEADER}\n{rows}"))
    done = link_here(owners, tmp_path / "out", model)
    assert done.code == 0, done.told
    assert set(pl.read_parquet(tmp_path / "out" / "persons.parquet")["name"]) == set(NAMES)


def test_paths_with_blanks_quotes_and_vietnamese_letters_work(link_here, world: World, model: Path, tmp_path: Path):
    folder = tmp_path / "Đất đai 2025 (xã Vĩnh Thủy) 'mới'"
    folder.mkdir()
    world.lines().head(50).write_parquet(folder / "Sổ 'địa chính'.parquet")
    done = link_here(folder / "Sổ 'địa chính'.parquet", folder / "Kết quả", model)
    assert done.code == 0, done.told
    assert links_of(folder / "Kết quả")["owner_record_id"].n_unique() == 50
