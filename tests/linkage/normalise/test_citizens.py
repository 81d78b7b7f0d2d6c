"""Register lines become citizens."""

from __future__ import annotations

from typing import Any

import polars as pl

from linkage.normalise.citizens import COLUMNS_READ, citizens
from linkage.normalise.lines import mentions
from linkage.schemas import CITIZEN_LINES, CITIZENS, OWNER_LINES


def read(*lines: dict[str, str | None], **options: Any) -> list[dict[str, Any]]:
    """The citizens of some lines; columns not given are empty."""
    rows = [{"citizen_id": f"0450600000{n:02d}", "full_name": "Lê Văn An", **line} for n, line in enumerate(lines)]
    return citizens(pl.DataFrame(rows, schema=CITIZEN_LINES.schema()), **options).to_dicts()


def test_no_lines_give_no_citizens() -> None:
    assert citizens(CITIZEN_LINES.empty()).schema == pl.Schema(CITIZENS.schema())


def test_only_the_columns_named_are_read() -> None:
    lines = pl.DataFrame([{"full_name": "Lê Văn An"}], schema=dict.fromkeys(COLUMNS_READ, pl.String))
    assert citizens(lines)["name"].to_list() == ["Lê Văn An"]


def test_citizens_keep_their_order() -> None:
    names = [f"Lê Văn {given}" for given in ("Tuấn", "An", "Tuấn", "Bình")]
    found = read(*({"full_name": name} for name in names))
    assert [(c["id"], c["name"]) for c in found] == list(enumerate(names))


def test_fields_are_read_as_those_of_owners() -> None:
    (found,) = read({"full_name": "LÊ THỊ THUÝ", "birth_date": "1960-03-12", "sex": "F", "former_id_no": "197000001"})
    assert [found[f] for f in ("name", "birth_year", "birth_month", "birth_day", "sex", "id9")] == [
        "Lê Thị Thúy", 1960, 3, 12, "F", "197000001",
    ]  # fmt: skip
    assert found["id12"] == found["citizen_id"]


def test_births_after_the_latest_year_are_impossible() -> None:
    assert read({"birth_date": "2024"}, latest_birth_year=2020)[0]["birth_year"] is None


def test_a_household_is_one_kin_and_a_couple_without_household_too() -> None:
    found = read(
        {"household_id": "H1"}, {"household_id": "H1"}, {"spouse_citizen_id": "045060000003"},
        {"spouse_citizen_id": "045060000002"}, {},
    )  # fmt: skip
    kin = [citizen["kin"] for citizen in found]
    assert kin[0] == kin[1] != kin[2] == kin[3]
    assert kin[4] is None


def test_the_dead_stay_and_an_empty_status_is_alive() -> None:
    found = read({"status": "deceased"}, {"status": "alive"}, {"status": None}, {"status": "emigrated"})
    assert [citizen["alive"] for citizen in found] == [False, True, True, True]


def test_the_code_stands_above_the_commune_of_the_address() -> None:
    address = "Thôn 3, xã Vĩnh Thủy, tỉnh Quảng Trị"
    by_address, by_code = read({"address": address}, {"address": address, "commune_code": "19198"})
    assert by_address["commune"] == "19405"
    assert by_code["commune"] == "19198"
    assert {by_address["province"], by_code["province"]} == {"44"}


def test_a_hamlet_meets_the_owners_hamlet_of_another_kind() -> None:
    (citizen,) = read({"address": "Xóm 3, xã Vĩnh Thủy, tỉnh Quảng Trị"})
    line = {"owner_name": "Lê Văn An", "owner_address": "Thôn 03, xã Vĩnh Thuỷ, H. Vĩnh Linh, QT"}
    owner = mentions(pl.DataFrame([line], schema=OWNER_LINES.schema())).row(0, named=True)
    assert (citizen["hamlet"], citizen["commune"]) == (owner["hamlet"], owner["commune"])


def test_sexes_in_numbers_are_read_by_the_coding_of_the_source():
    lines = pl.DataFrame([{"citizen_id": "045060000001", "full_name": "Nguyễn Văn A", "sex": "1", "row_number": 1}])
    absent = [pl.lit(None, pl.String).alias(name) for name in CITIZEN_LINES.columns if name not in lines.columns]
    read = [citizens(lines.with_columns(absent), sex_coding=coding)["sex"].item() for coding in (None, {"1": "M"})]
    assert read == [None, "M"]
