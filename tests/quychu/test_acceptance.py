import hashlib
import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from linkage.config import load
from quychu.acceptance import AcceptanceError, is_residential, read_run

TODAY = date(2026, 11, 22)
CODES = ["ONT", "ODT"]
A, DEAD, CHILD, ABROAD = "001090000001", "001050000002", "001209000003", "001085000004"

OWNERS = pl.DataFrame(
    {
        "owner_record_id": ["r2", "r1", "r3", "r4"],
        "owner_name": ["Ông Nguyễn Văn An", "Bà Trần Thị Bình", "Ông Lê Văn Chết", "Ông Phạm Văn Sửu"],
        "commune_code": ["19333", "19333", "19333", "19333"],
        "commune_code_vintage": ["from-2025-07-01"] * 4,
        "parcel_code": ["P2", None, "P3", "P4"],
        "map_sheet_no": ["7", "8", None, None],
        "parcel_no": ["118", "119", None, None],
        "land_use_code": ["ONT+CLN", "LUC", "ODT", "ONT"],
        "parcel_address": ["Thôn Đông", None, "x" * 600, "Thôn Đoài"],
        "certificate_serial": ["AB 123456", None, None, "CS 01277"],
    }
)
CITIZENS = pl.DataFrame(
    {
        "citizen_id": [A, DEAD, CHILD, ABROAD],
        "full_name": ["An", "Chết", "Bé", "Xa"],
        "birth_date": ["1990-05-01", "1950", "2008-11-23", None],
        "status": ["alive", "deceased", None, "Emigrated "],
    }
)
LINKS = pl.DataFrame(
    {
        "owner_record_id": ["r2", "r1", "r1", "r3", "r4"],
        "role": ["owner", "owner", "co_owner_2", "owner", "owner"],
        "citizen_id": [A, A, CHILD, DEAD, DEAD],
        "match_probability": [0.999, 0.999, 0.999, 0.999, 0.931],
        "decision": ["link", "link", "link", "link", "review"],
        "reason": ["same_id12", "same_id12", "same_id12", "same_id12", "citizen_deceased"],
    }
)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    run = tmp_path / "run"
    run.mkdir()
    OWNERS.write_parquet(tmp_path / "owners.parquet")
    CITIZENS.write_parquet(tmp_path / "citizens.parquet")
    LINKS.write_parquet(run / "links.parquet")
    inputs = [{"role": role, "sha256": _sha(tmp_path / f"{role}.parquet")} for role in ("owners", "citizens")]
    (run / "run.json").write_text(json.dumps({"inputs": inputs}))
    return {"run": run, "owners": tmp_path / "owners.parquet", "citizens": tmp_path / "citizens.parquet"}


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def rows(files, **instead):
    return read_run(**files, **{"config": load(None), "residential": CODES, "today": TODAY, **instead})


def test_accepted_links_of_the_living_come_in_the_order_of_line_and_role(files):
    found = [parcel for batch in rows(files).parcels for parcel in batch]
    assert [(one.parcel_code, one.citizen_id, one.role) for one in found] == [
        ("tờ 8, thửa 119", CHILD, "co_owner"),
        ("tờ 8, thửa 119", A, "owner"),
        ("P2", A, "owner"),
    ]
    assert [one.residential for one in found] == [False, False, True]
    assert found[2]._asdict() | {"residential": None} == {
        "citizen_id": A, "residential": None, "parcel_code": "P2", "address": "Thôn Đông",
        "certificate_serial": "AB 123456", "role": "owner",
    }  # fmt: skip


def test_people_are_told_by_the_extract_and_their_age(files):
    found = {person.citizen_id: person.status for batch in rows(files).people for person in batch}
    assert found == {A: "alive", DEAD: "deceased", CHILD: "minor", ABROAD: "emigrated"}


@pytest.mark.parametrize(
    ("born", "status"),
    [
        ("2008-11-22", "alive"),  # eighteen today
        ("2008-11-23", "minor"),
        ("2008", "minor"),  # may be
        ("2007", "alive"),
        ("11/2008", "minor"),
        (None, "alive"),
        ("không rõ", "alive"),
    ],
)
def test_a_minor_is_under_eighteen_or_may_be(files, born, status):
    lines = {"citizen_id": [A], "full_name": ["An"], "birth_date": [born]}
    pl.DataFrame(lines, schema_overrides={"birth_date": pl.String}).write_parquet(files["citizens"])
    manifest = json.loads((files["run"] / "run.json").read_text())
    manifest["inputs"][1]["sha256"] = _sha(files["citizens"])
    (files["run"] / "run.json").write_text(json.dumps(manifest))
    assert [person.status for batch in rows(files).people for person in batch] == [status]


def test_a_review_link_brings_what_an_officer_needs(files):
    (found,) = [review for batch in rows(files).reviews for review in batch]
    assert (found.citizen_id, found.line, found.commune) == (DEAD, "r4/owner", "Phường Đông Hà")
    assert found.content["owner_name"] == "Ông Phạm Văn Sửu"
    assert found.content["decision_reason"] == "Công dân đã chết theo CSDL dân cư"
    assert found.content["parcel"]["certificate_serial"] == "CS 01277"


def test_the_same_run_has_the_same_hash_and_another_list_of_codes_another(files):
    assert rows(files).run_hash == rows(files).run_hash
    assert rows(files).run_hash != rows(files, residential=["ONT"]).run_hash


@pytest.mark.parametrize("role", ["owners", "citizens"])
def test_other_files_than_those_of_the_run_are_refused(files, tmp_path, role):
    other = tmp_path / f"other-{role}.parquet"
    (OWNERS if role == "owners" else CITIZENS).head(2).write_parquet(other)
    with pytest.raises(AcceptanceError, match=f"expected the {role} file"):
        rows({**files, role: other})


@pytest.mark.parametrize("name", ["run.json", "links.parquet"])
def test_an_unfinished_run_is_refused(files, name):
    (files["run"] / name).unlink()
    with pytest.raises(AcceptanceError, match="finished run"):
        rows(files)


def test_long_texts_are_cut_to_what_a_message_may_hold(files):
    LINKS.with_columns(citizen_id=pl.lit(A)).write_parquet(files["run"] / "links.parquet")
    found = {parcel.parcel_code: parcel for batch in rows(files).parcels for parcel in batch}
    assert len(found["P3"].address) == 500


@pytest.mark.parametrize(
    ("code", "expected"),
    [("ONT", True), ("ODT", True), ("CLN+ONT", True), ("ONT: 100; LUC: 20", True),
     ("LUC", False), ("", False), ("XONT", False), (None, None)],
)  # fmt: skip
def test_a_composite_code_is_residential_by_one_of_its_parts(code, expected):
    assert is_residential(pl.Series([code], dtype=pl.String), CODES).to_list() == [expected]
