"""The one writer: batches, failures that reach only their owner, files of another version."""

from __future__ import annotations

import sqlite3
import threading

import pytest
from sqlalchemy import insert, select

from confirm_api.vneid_sim.errors import BusyError, SettingsError
from confirm_api.vneid_sim.store import Store
from confirm_api.vneid_sim.tables import cancels


def kept(store: Store) -> set[str]:
    return set(store.read(lambda conn: conn.execute(select(cancels.c.auth_req_id)).scalars().all()))


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "sim.sqlite3")
    yield made
    made.close()


def put(name: str, meanwhile: threading.Event | None = None):
    def job(conn) -> str:
        if meanwhile:
            meanwhile.wait(5)
        conn.execute(insert(cancels).values(auth_req_id=name, content=""))
        return name

    return job


def test_jobs_that_wait_are_committed_together_and_a_bad_one_fails_alone(store):
    go = threading.Event()
    first = store.submit(put("first", go))
    futures = [store.submit(put(name)) for name in ("a", "b", "first", "c")]
    go.set()
    assert first.result() == "first"
    assert [futures[at].result() for at in (0, 1, 3)] == ["a", "b", "c"]
    with pytest.raises(Exception, match="UNIQUE"):
        futures[2].result()
    assert kept(store) == {"first", "a", "b", "c"}
    assert store.commits == 4  # first; the batch failed; a, b and c each alone


def test_a_hundred_jobs_that_wait_need_few_commits(store):
    go = threading.Event()
    futures = [store.submit(put(str(number), go if number == 0 else None)) for number in range(100)]
    go.set()
    assert [future.result() for future in futures] == [str(number) for number in range(100)]
    assert store.commits <= 2


def test_a_full_queue_says_busy(store):
    go = threading.Event()
    store.submit(put("first", go))
    with pytest.raises(BusyError):
        [store.submit(put(str(number))) for number in range(3_000)]
    go.set()


def test_readers_cannot_write(store):
    with pytest.raises(Exception, match="readonly"):
        store.read(put("a"))


def test_a_locked_database_says_busy(tmp_path, monkeypatch):
    monkeypatch.setattr("confirm_api.vneid_sim.store._LOCK_SECONDS", 0.05)
    store = Store(tmp_path / "sim.sqlite3")
    other = sqlite3.connect(tmp_path / "sim.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(BusyError):
        store.submit(put("a")).result()
    other.execute("ROLLBACK")
    assert store.submit(put("a")).result() == "a"
    store.close()


def test_a_file_of_another_version_or_no_database_stops_the_start(tmp_path):
    newer, text = tmp_path / "newer.sqlite3", tmp_path / "text.sqlite3"
    with sqlite3.connect(newer) as conn:
        conn.execute("PRAGMA user_version=99")
    text.write_text("this is no database, and it is long enough to be seen as none" * 20)
    for path in (newer, text):
        with pytest.raises(SettingsError):
            Store(path)
