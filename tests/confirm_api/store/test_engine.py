"""Databases open as they should, their schema is the tables', and several processes may upgrade at once."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import exc, insert, select, text

from confirm_api.errors import StoreError
from confirm_api.store import key_tables, tables
from confirm_api.store.engine import IDLE_SECONDS, open_engine, reading, upgrade
from confirm_api.store.tables import people

UPGRADE = "import sys; from confirm_api.store.engine import *; e = open_engine(sys.argv[1]); upgrade(e); e.dispose()"


def scalar(engine, statement):
    with reading(engine) as conn:
        return conn.exec_driver_sql(statement).scalar_one()


def add_and_fail(engine):
    with engine.begin() as conn:
        conn.execute(insert(people).values(handle="h", status="alive"))
        raise ZeroDivisionError


def test_the_migrated_schema_is_that_of_the_tables(engine):
    with engine.connect() as conn:
        context = MigrationContext.configure(conn, opts={"version_table": "main_schema_version"})
        assert compare_metadata(context, tables.metadata) == []


def test_the_key_stores_schema_is_that_of_its_tables(key_store):
    engine = open_engine(key_store)
    with engine.connect() as conn:
        context = MigrationContext.configure(conn, opts={"version_table": "keys_schema_version"})
        assert compare_metadata(context, key_tables.metadata) == []
    engine.dispose()


def test_a_second_upgrade_finds_nothing_to_do(engine):
    with engine.begin() as conn:
        conn.execute(insert(people).values(handle="h", status="alive"))
    upgrade(engine)
    assert scalar(engine, "SELECT count(*) FROM people") == 1


def test_processes_that_start_at_once_upgrade_once(database_kind, new_database):
    url = new_database(database_kind, "empty")
    started = [subprocess.Popen([sys.executable, "-c", UPGRADE, url], stderr=subprocess.PIPE) for _ in range(3)]
    assert [process.communicate()[1] for process in started] == [b"", b"", b""]
    engine = open_engine(url)
    assert scalar(engine, "SELECT count(*) FROM main_schema_version") == 1
    engine.dispose()


def test_a_database_newer_than_the_code_is_refused_and_left_alone(engine):
    with engine.begin() as conn:
        conn.execute(text("UPDATE main_schema_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="is newer than this version of quychu"):
        upgrade(engine)
    assert scalar(engine, "SELECT version_num FROM main_schema_version") == "9999"


def test_a_transaction_that_raises_leaves_nothing(engine):
    with pytest.raises(ZeroDivisionError):
        add_and_fail(engine)
    assert scalar(engine, "SELECT count(*) FROM people") == 0


def test_an_error_of_the_database_does_not_show_the_values(engine):
    with engine.begin() as conn:
        conn.execute(insert(people).values(handle="h", status="alive"))
    with pytest.raises(exc.IntegrityError) as refused, engine.begin() as conn:
        conn.execute(insert(people).values(handle="h", status="planted"))
    assert "planted" not in str(refused.value)


def test_a_reader_does_not_wait_for_a_writer(engine):
    with engine.begin() as writer:
        writer.execute(insert(people).values(handle="h", status="alive"))
        with reading(engine) as reader:
            assert reader.execute(select(people)).all() == []
    assert scalar(engine, "SELECT count(*) FROM people") == 1


def test_after_reading_the_same_connection_begins_transactions_again(database):
    engine = open_engine(database, pool_size=1)
    scalar(engine, "SELECT 1")
    with pytest.raises(ZeroDivisionError):
        add_and_fail(engine)
    assert scalar(engine, "SELECT count(*) FROM people") == 0
    engine.dispose()


class TestSqlite:
    @pytest.fixture
    def engine(self, new_database):
        engine = open_engine(new_database("sqlite"))
        yield engine
        engine.dispose()

    @pytest.mark.parametrize(
        ("pragma", "value"),
        [
            ("journal_mode", "wal"),
            ("synchronous", 2),
            ("foreign_keys", 1),
            ("secure_delete", 1),
            ("busy_timeout", 30_000),
        ],
    )
    def test_settings(self, engine, pragma, value):
        assert scalar(engine, f"PRAGMA {pragma}") == value

    def test_a_transaction_takes_the_write_lock_at_its_beginning(self, engine):
        order = []

        def write():
            with engine.begin() as conn:
                order.append("second begins")
                conn.execute(text("SELECT 1"))

        with engine.begin() as conn:
            conn.execute(text("SELECT 1"))
            other = threading.Thread(target=write)
            other.start()
            time.sleep(0.2)
            order.append("first ends")
        other.join()
        assert order == ["first ends", "second begins"]

    def test_the_file_and_those_beside_it_are_for_their_owner_only(self, tmp_path):
        engine = open_engine(f"sqlite:///{tmp_path}/new.sqlite")
        upgrade(engine)
        with engine.begin() as conn:
            conn.execute(insert(people).values(handle="h", status="alive"))
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
        engine.dispose()
        assert modes == {"new.sqlite": 0o600, "new.sqlite-wal": 0o600, "new.sqlite-shm": 0o600}

    @pytest.mark.parametrize(
        ("url", "sentence"),
        [
            ("sqlite:////no/such/folder/main.sqlite", "cannot be opened: .*No such file"),
            ("sqlite://", "names one file"),
            ("sqlite:///:memory:", "names one file"),
            ("sqlite:///x.sqlite?mode=memory", "names one file"),
            ("mysql://somewhere/db", "found 'mysql'"),
            ("no url", "found no url"),
        ],
    )
    def test_a_url_that_names_no_file_is_refused_in_one_sentence(self, url, sentence):
        with pytest.raises(StoreError, match=sentence) as refused:
            open_engine(url)
        assert "\n" not in str(refused.value)

    def test_a_file_of_another_kind_is_refused(self, tmp_path):
        (tmp_path / "x.sqlite").write_text("no database at all, but long enough to be read as one" * 20)
        with pytest.raises(StoreError, match="file is not a database"):
            open_engine(f"sqlite:///{tmp_path}/x.sqlite")


@pytest.mark.needs("postgresql")
class TestPostgresql:
    @pytest.fixture
    def engine(self, new_database):
        engine = open_engine(new_database("postgresql"))
        yield engine
        engine.dispose()

    @pytest.mark.parametrize(
        ("setting", "value"),
        [("synchronous_commit", "on"), ("jit", "off"), ("transaction_isolation", "read committed")],
    )
    def test_settings(self, engine, setting, value):
        with engine.begin() as conn:
            assert conn.exec_driver_sql(f"SHOW {setting}").scalar_one() == value

    def test_a_connection_that_died_while_it_lay_idle_is_replaced(self, engine, monkeypatch):
        with engine.connect() as conn:
            own = conn.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        killer = open_engine(engine.url.render_as_string(hide_password=False))
        scalar(killer, f"SELECT pg_terminate_backend({own})")
        killer.dispose()
        now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: now + IDLE_SECONDS + 1)
        with engine.connect() as conn:
            assert conn.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() != own

    def test_a_server_that_refuses_is_told_in_one_sentence_without_the_password(self, postgres_url):
        url = postgres_url.replace("@127", "wrong@127")
        with pytest.raises(StoreError, match="password authentication failed") as refused:
            open_engine(url)
        assert "wrong" not in str(refused.value)
        assert "\n" not in str(refused.value)
