"""What a line tells about its parcel."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from linkage.ask.facts import facts, nothing_more, of_lines

TODAY = date(2026, 3, 10)


def told(**columns: str | None) -> dict[str, object]:
    usual = {"owner_record_id": "L1", "land_use_code": None, "area_m2": None, "certificate_date": None}
    row = {**usual, "parcel_address": None, **columns}
    return of_lines(pl.DataFrame([row], schema=dict.fromkeys(row, pl.String)), TODAY).row(0, named=True)


@pytest.mark.parametrize(
    ("text", "area"),
    [("355.2", 355.2), ("355,2", 355.2), (" 400 ", 400.0), ("385/2", None), ("0", None), ("-3", None), (None, None)],
)
def test_an_area_is_a_plain_number_or_nothing(text: str | None, area: float | None) -> None:
    assert told(area_m2=text)["area_m2"] == area


@pytest.mark.parametrize(("text", "year"), [("19/09/2009", 2009), ("2019", 2019), ("1/1/1900", None), (None, None)])
def test_the_year_of_the_certificate(text: str | None, year: int | None) -> None:
    assert told(certificate_date=text)["certificate_year"] == year


@pytest.mark.parametrize(
    ("address", "hamlet"),
    [
        ("Thôn Lam Thủy, xã Vĩnh Thủy, huyện Vĩnh Linh, Quảng Trị", "Thôn Lam Thủy"),
        ("Số 12, thôn Lam Thủy, xã Vĩnh Thủy, huyện Vĩnh Linh, Quảng Trị", "thôn Lam Thủy"),
        ("xã Vĩnh Thủy, huyện Vĩnh Linh, Quảng Trị", None),
        (None, None),
    ],
)
def test_the_hamlet_keeps_its_accents_and_never_a_house_number(address: str | None, hamlet: str | None) -> None:
    assert told(parcel_address=address)["parcel_hamlet"] == hamlet


def mention(number: int, role: str, name: str, spouse: str | None = None, kind: str = "person") -> dict[str, object]:
    return {
        "mention": number, "line": 0, "role": role, "kind": kind, "name": name, "name_folded": name.lower(),
        "spouse_folded": spouse, "parcel_code": "w75", "parcel_commune": "18901", "hamlet": "ha mon",
        "serial": "AB123456",
    }  # fmt: skip


def shown(*mentions: dict[str, object]) -> list[dict[str, object]]:
    places = pl.DataFrame(
        [
            {"item_id": f"i{row['mention']}", "owner_record_id": "L1", "role": row["role"], "mention": row["mention"]}
            for row in mentions
        ]
    )
    table = facts(places, pl.DataFrame(list(mentions), infer_schema_length=None), nothing_more(places))
    return list(table.sort("item_id").iter_rows(named=True))


def test_the_commune_is_told_by_its_name_of_today() -> None:
    assert shown(mention(0, "owner", "An", spouse=None))[0]["commune_name"] == "Xã Minh Hóa"


def test_the_spouse_is_named_before_others() -> None:
    rows = shown(mention(0, "owner", "An", spouse="chi"), mention(1, "co_owner", "Ba"), mention(2, "co_owner_2", "Chi"))
    assert [row["co_owner_name"] for row in rows] == ["Chi", "An", "An"]


def test_nobody_beside_is_nobody_named() -> None:
    rows = shown(mention(0, "owner", "An"), mention(1, "co_owner", "Hợp tác xã", kind="organisation"))
    assert rows[0]["co_owner_name"] is None


def test_a_third_person_is_told_as_co_owner() -> None:
    rows = shown(mention(0, "owner", "An"), mention(1, "co_owner", "Ba"), mention(2, "co_owner_2", "Chi"))
    assert [row["role"] for row in rows] == ["owner", "co_owner", "co_owner"]


def test_without_the_owner_file_the_hamlet_of_comparing_is_shown() -> None:
    assert shown(mention(0, "owner", "An"))[0]["hamlet"] == "ha mon"
