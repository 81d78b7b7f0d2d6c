from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest

from linkage.config import load
from linkage.errors import InputError
from linkage.profile import REFUSALS, WORDS, as_json, check_files, profile, refuse_unusable, report_lines
from linkage.schemas import CITIZEN_LINES, OWNER_LINES
from linkage.sources import pl3


def owner_lines(**columns: list[str | None]) -> pl.DataFrame:
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def classes(**columns: list[str | None]) -> dict[str, int]:
    return dict(profile(owner_lines(**columns)).owners.error_classes)


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("owner_name", "NguyÔn V¨n Hïng", "name-tcvn3"),
        ("owner_name", "Nguyeãn Vaên Huøng", "name-vni"),
        ("owner_name", "Nguyá»…n VÄƒn HÃ¹ng", "name-utf8-as-cp1252"),
        ("owner_name", "Nguyeenx Vawn Hungf", "name-telex"),
        ("owner_name", "Ðỗ Văn Hùng", "name-unicode-form"),
        ("owner_name", "NGUYEN VAN HUNG", "name-without-accents"),
        ("owner_name", "Ông Nguyễn Văn Hùng", "honorific-in-name"),
        ("owner_name", "Nguyễn Văn Hùng và Trần Thị Lan", "several-persons"),
        ("owner_name", "Nguyễn Văn Hùng, sinh năm 1960", "birth-in-name"),
        ("owner_name", "Nguyễn Văn Hùng (đã chết)", "deceased-in-name"),
        ("owner_name", "Ủy ban nhân dân xã Vĩnh Thủy", "organisation"),
        ("owner_name", "Cộng đồng dân cư thôn Thủy Ba", "community"),
        ("owner_name", "Chùa Thủy Ba", "religious"),
        ("owner_name", "không rõ", "unreadable-name"),
        ("owner_id_no", "45060012345", "id-padded"),
        ("owner_id_no", "4.5060012345E+10", "id-float"),
        ("owner_id_no", "197123456", "id-nine-digits"),
        ("owner_id_no", "hộ chiếu B1234567", "id-other-paper"),
        ("co_owner_id_no", "999999999999", "id-placeholder"),
        ("owner_birth", "1960", "birth-year-only"),
        ("owner_birth", "01/01/1960", "birth-first-of-january"),
        ("co_owner_birth", "1900", "birth-placeholder"),
        ("owner_birth", "1017", "birth-impossible"),
        ("owner_sex", "Nma", "sex-typo"),
        ("owner_sex", "1", "sex-unknown-code"),
        ("commune_code", "99999", "commune-unknown-code"),
        ("parcel_address", "số 7", "address-without-commune"),
        ("certificate_serial", "AD 66864", "serial-repaired"),
        ("owner_kind", "cá thể", "kind-unknown"),
        ("owner_role", "con", "role-unknown"),
    ],
)
def test_each_class_of_error_is_found_by_its_own_code(column, value, code):
    assert classes(**{column: [value]}).get(code) == 1


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("owner_name", "Nguyễn Văn Hùng"),
        ("owner_id_no", "045060012345"),
        ("owner_birth", "12/03/1960"),
        ("owner_sex", "Nam"),
        ("commune_code", "19333"),
        ("parcel_address", "Thôn 3, xã Vĩnh Thủy, huyện Vĩnh Linh, tỉnh Quảng Trị"),
        ("certificate_serial", "AD 066864"),
        ("owner_kind", "household"),
        ("owner_role", "head"),
        ("owner_name", None),
    ],
)
def test_what_is_written_as_it_should_be_is_in_no_class(column, value):
    assert classes(**{column: [value]}) == {}


def test_a_code_of_the_wrong_list_is_found_by_the_address_beside_it():
    address = "xã Vĩnh Thủy, tỉnh Quảng Trị"
    right = classes(commune_code=["19405"], commune_code_vintage=["from-2025-07-01"], parcel_address=[address])
    assert "commune-wrong-vintage" not in right
    assert "commune-unknown-code" not in right


def test_a_number_is_held_against_birth_and_sex_only_where_both_are_given():
    against = classes(owner_id_no=["045060012345"], owner_birth=["1971"], owner_sex=["M"])
    other_sex = classes(owner_id_no=["045060012345"], owner_birth=[None], owner_sex=["Nữ"])
    agreeing = classes(owner_id_no=["045060012345"], owner_birth=["1960"], owner_sex=["Nam"])
    alone = classes(owner_id_no=["045060012345"])
    assert (against.get("id-contradicts"), other_sex.get("id-contradicts")) == (1, 1)
    assert "id-contradicts" not in agreeing | alone


def test_lines_that_differ_only_in_their_id_repeat_each_other():
    lines = {"owner_record_id": ["1", "2", "3"], "owner_name": ["Lê Văn An", "Lê Văn An", "Lê Văn Ân"]}
    assert classes(**lines)["repeated-line"] == 1


def test_cells_are_counted_not_distinct_values():
    assert classes(owner_birth=["1960", "1960", "1961", None])["birth-year-only"] == 3


def test_a_sample_is_scaled_to_all_lines_and_says_so():
    lines = owner_lines(owner_birth=["1960"] * 500 + [None] * 500)
    whole, some = profile(lines).owners, profile(lines, sample=100).owners
    assert (some.rows, some.examined) == (1000, 100)
    assert some.error_classes == whole.error_classes == {"birth-year-only": 500} | _repeated(lines)
    assert some.fill_rates == whole.fill_rates


def _repeated(lines: pl.DataFrame) -> dict[str, int]:
    return {"repeated-line": lines.height - 2}


def test_an_empty_table_has_no_errors_and_no_value():
    empty = profile(OWNER_LINES.empty(), CITIZEN_LINES.empty())
    assert empty.citizens is not None
    assert not empty.owners.error_classes
    assert "full_name" in empty.citizens.without_value


def test_citizens_have_classes_of_their_own():
    citizens = pl.DataFrame(
        {
            "citizen_id": ["045060012345", "045171012345"],
            "full_name": ["Nguyễn Văn Hùng", "TRAN THI LAN"],
            "birth_date": ["1960-03-12", "1971"],
            "sex": ["M", "M"],
            "spouse_citizen_id": ["045171012345", "045099999999"],
            "status": ["alive", "moved"],
        }
    )
    found = profile(owner_lines(owner_name=["Lê Văn An"]), citizens)
    assert found.citizens is not None
    assert dict(found.citizens.error_classes) == {
        "name-without-accents": 1,
        "id-contradicts": 1,
        "birth-year-only": 1,
        "status-unknown": 1,
        "spouse-not-in-extract": 1,
    }
    sections = found.sections()
    assert sections["error_classes"]["citizens:status-unknown"] == 1
    assert sections["error_class_words"]["citizens:status-unknown"][1].startswith("Dân cư: ")


def test_every_class_has_words_in_both_languages():
    told = [*WORDS.values(), *REFUSALS.values()]
    assert all(words.english and words.vietnamese and words.english != words.vietnamese for words in told)


def test_every_reason_that_a_reader_gives_has_words():
    sources = Path(__file__).parents[2] / "linkage" / "sources"
    text = "".join(file.read_text(encoding="utf-8") for file in sources.glob("*.py"))
    codes = set(re.findall(r'"([a-z]+(?:-[a-z]+)+): ', text)) | set(pl3._WORDS)
    assert codes | {"missing-id", "missing-name", "missing-value"} == set(REFUSALS)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    owners, citizens = tmp_path / "so.csv", tmp_path / "dan-cu.csv"
    owners.write_text("owner_record_id,owner_name,owner_birth\n1,Lê Văn An,1960\n1,Trần Thị Bích,\n,Mai Lan,\n")
    citizens.write_text("citizen_id,full_name\n045060012345,Lê Văn An\n12,Trần Thị Bích\n")
    return owners, citizens


def test_a_check_accounts_for_every_row_by_reason(files):
    owners, citizens = files
    found = check_files(owners, citizens, load(None))
    land = found["land_owners"]
    assert (land.rows_read, land.rows_used, land.format) == (3, 1, "csv")
    assert {reason.split(":")[0] for reason in land.rejected} == {"missing-id", "duplicate-id"}
    assert "owner_id_no" in land.columns_without_value
    assert {reason.split(":")[0] for reason in found["citizens"].rejected} == {"bad-citizen-id"}


def test_a_check_says_which_header_became_which_field_and_which_were_not_used(tmp_path: Path):
    owners = tmp_path / "so.csv"
    owners.write_text("owner_record_id,Owner Name,Màu sắc\n1,Lê Văn An,đỏ\n", encoding="utf-8")
    told = list(report_lines(check_files(owners, None, load(None))))
    assert '    owner_name      ← "Owner Name"' in told
    assert '    not used: "Màu sắc"' in told


def test_files_of_a_folder_with_the_same_headers_are_told_once(tmp_path: Path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(f"owner_record_id,owner_name\n{name},Lê Văn An\n", encoding="utf-8")
    told = list(report_lines(check_files(tmp_path, None, load(None))))
    assert [line for line in told if "headers of" in line] == ["  headers of a.csv and 1 more"]


def test_a_file_without_a_usable_row_is_refused_as_a_run_would(tmp_path: Path):
    owners = tmp_path / "so.csv"
    owners.write_text("owner_record_id,owner_name\n1,\n,Mai Lan\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"so\.csv: expected at least one usable row, found 2 rows and none usable"):
        refuse_unusable(check_files(owners, None, load(None)))


def test_neither_the_table_nor_the_json_holds_a_value_of_a_record(files):
    found = check_files(*files, load(None))
    told = "\n".join(report_lines(found)) + json.dumps(as_json(found), ensure_ascii=False)
    assert "Chỉ có năm sinh" in told
    assert not any(value in told for value in ("Lê Văn An", "Bích", "1960", "045060012345"))
