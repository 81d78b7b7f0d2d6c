"""A stolen main database shows no name, number or serial, and cannot be asked whether a number is in it."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from confirm_api.store import boxes
from confirm_api.store.boxes import BoxError
from confirm_api.store.engine import reading
from confirm_api.store.tables import accepted_parcels, cases, declarations, items, questions, records, runs
from exchange.canonical import canonical
from scripts.local_postgres import binary, driver_url
from tests.confirm_api.conftest import KEYS, START

NUMBER = "079090123456"
NAME = "Nguyễn Thị Ánh Nguyệt"
SERIAL = "CĐ 123456"
ADDRESS = "12 ngõ 5 phố Hàng Bột"
PLANTED = (NUMBER, NAME, SERIAL, ADDRESS)
PARCEL = {"certificate_serial": SERIAL, "co_owner_name": NAME, "address": ADDRESS}


@pytest.fixture
def handle(vault):
    return vault.handle_of(NUMBER, create=True)


@pytest.fixture
def stored(engine, vault, handle):
    """Each kind of personal box once."""
    content = canonical({"citizen_id": NUMBER, "parcels": [PARCEL]})
    with engine.begin() as conn:
        conn.execute(insert(questions).values(**question(handle, vault.fingerprint(handle, content))))
        conn.execute(insert(items).values(question_no=1, **item(vault.seal(handle, "items/q/i", PARCEL))))
        conn.execute(insert(runs).values(run_hash="0" * 64, accepted_at=START, active=True))
        box = vault.seal(handle, "accepted_parcels/1", PARCEL)
        conn.execute(insert(accepted_parcels).values(run_no=1, handle=handle, residential=True, box=box))
        box = vault.seal(handle, "cases/1", {"corrections": [{"field": "full_name", "value": NAME}]})
        conn.execute(insert(cases).values(kind="correction", state="open", handle=handle, opened_at=START, box=box))
        conn.execute(insert(declarations).values(**declaration(vault, handle, content)))
        box = vault.seal_together([handle], "records/1", f"inner JWS with {NUMBER} {NAME}".encode())
        conn.exec_driver_sql("INSERT INTO leaves (leaf) VALUES ('{}')")
        conn.execute(insert(records).values(leaf_no=1, handles=f'["{handle}"]', box=box))


def question(handle, fingerprint):
    return {
        "question_id": "q" * 22,
        "handle": handle,
        "fingerprint": fingerprint,
        "priority": 0.5,
        "accepted_at": START,
        "expires_at": START + 60,
        "state": "created",
        "binding_message": "ABCD-EFGH",
    }


def item(box):
    return {"item_id": "i" * 22, "place": 0, "rank": 1, "state": "free", "box": box}


def declaration(vault, handle, content):
    return {
        "declaration_id": "d" * 22,
        "peer": "urn:quychu:peer:vneid",
        "handle": handle,
        "fingerprint": vault.fingerprint(handle, content),
        "status": "matched",
        "received_at": START,
        "box": vault.seal(handle, "declarations/d", PARCEL),
    }


def spellings(text: str) -> Iterator[bytes]:
    """How a text may stand in a file: as such, in the other encodings of a database, in hex, hashed."""
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        yield text.encode(encoding)
    yield text.encode().hex().encode()
    for hashed in (hashlib.sha256, hashlib.sha512, hashlib.sha1, hashlib.md5):
        yield hashed(text.encode()).digest()
        yield hashed(text.encode()).hexdigest().encode()


def assert_silent(taken: bytes, handle: str) -> None:
    assert handle.encode() in taken, "the copy is not of the database we wrote to"
    for planted in PLANTED:
        for spelling in spellings(planted):
            assert spelling not in taken


@pytest.mark.usefixtures("stored")
def test_every_file_is_silent_the_write_ahead_log_too(engine, handle, database_kind):
    if database_kind == "sqlite":
        path = Path(engine.url.database)
        files = sorted(path.parent.glob(f"{path.name}*"))
        assert {file.suffix for file in files} == {".sqlite", ".sqlite-wal", ".sqlite-shm"}
    else:
        files = postgres_files(engine)
    assert_silent(b"".join(file.read_bytes() for file in files), handle)


def postgres_files(engine) -> list[Path]:
    """The tables of this database and the server's write-ahead log, as a thief of the disk has them."""
    with reading(engine) as conn:
        conn.exec_driver_sql("CHECKPOINT")
        folder = Path(conn.exec_driver_sql("SHOW data_directory").scalar_one())
        oid = conn.exec_driver_sql("SELECT oid FROM pg_database WHERE datname = current_database()").scalar_one()
        wal = conn.exec_driver_sql("SELECT pg_walfile_name(pg_current_wal_lsn())").scalar_one()
    return [*(folder / "base" / str(oid)).iterdir(), folder / "pg_wal" / wal]


@pytest.mark.usefixtures("stored")
def test_a_dump_is_silent(engine, handle, database_kind):
    if database_kind == "sqlite":
        with reading(engine) as conn:
            dump = "\n".join(conn.connection.dbapi_connection.iterdump())
    else:
        url = driver_url(engine.url.render_as_string(hide_password=False))
        dump = subprocess.run([binary("pg_dump"), "--inserts", url], capture_output=True, text=True, check=True).stdout
    assert_silent(dump.encode(), handle)


@pytest.mark.usefixtures("stored")
def test_it_cannot_be_asked_for_a_number_even_with_the_content_known(engine):
    """The thief knows number and content and tries what needs no secret; only a key of the key store would answer."""
    content = canonical({"citizen_id": NUMBER, "parcels": [PARCEL]})
    with reading(engine) as conn:
        fingerprint = conn.execute(select(questions.c.fingerprint)).scalar_one()
    for hashed in (hashlib.sha256, hashlib.sha3_256, hashlib.blake2s):
        for text in (content, NUMBER.encode(), NUMBER.encode() + content, content + NUMBER.encode()):
            assert hashed(text).digest() != fingerprint


@pytest.mark.usefixtures("stored")
def test_after_erasure_no_box_opens_even_with_the_master_keys(engine, vault, handle):
    vault.erase(handle)
    places = ["items/q/i", "accepted_parcels/1", "cases/1", "declarations/d", "records/1"]
    with reading(engine) as conn:
        kept = [conn.execute(select(table.c.box)).scalar_one() for table in (items, accepted_parcels, cases)]
        kept += [conn.execute(select(table.c.box)).scalar_one() for table in (declarations, records)]
    for place, box in zip(places, kept, strict=True):
        for key in (KEYS.master, KEYS.index, boxes.derive_key(KEYS.master, "service")):
            with pytest.raises(BoxError):
                boxes.open_box(key, place, box)
