"""A server of one's own starts, answers to its url alone, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from scripts import local_postgres as module
from scripts.local_postgres import NoPostgresError, driver_url, local_postgres
from scripts.system_tools import TOOLS, Tool

pytestmark = pytest.mark.needs("postgresql")


def ask(url: str, question: str) -> str:
    with psycopg.connect(driver_url(url), connect_timeout=2) as conn:
        return str(conn.execute(question.encode()).fetchone()[0])


def test_it_starts_answers_and_leaves_nothing_behind():
    with local_postgres() as url:
        folder = Path(ask(url, "SHOW data_directory"))
        assert ask(url, "SHOW fsync") == "on"
        assert ask(url, "SELECT current_setting('server_encoding')") == "UTF8"
        assert folder.exists()
    assert not folder.parent.exists()
    with pytest.raises(psycopg.OperationalError):
        ask(url, "SELECT 1")


def test_without_durability_and_with_settings_of_ones_own():
    with local_postgres(durable=False, settings={"max_connections": "7"}) as url:
        assert ask(url, "SHOW fsync") == "off"
        assert ask(url, "SHOW max_connections") == "7"


def test_another_password_is_refused():
    with local_postgres(durable=False) as url, pytest.raises(psycopg.OperationalError, match="password"):
        ask(url.replace("@127", "x@127"), "SELECT 1")


def test_two_run_side_by_side():
    with local_postgres(durable=False) as one, local_postgres(durable=False) as other:
        assert ask(one, "SHOW port") != ask(other, "SHOW port")


def test_the_folder_goes_even_where_the_server_was_killed():
    with local_postgres(durable=False) as url:
        folder = Path(ask(url, "SHOW data_directory"))
        os.kill(int((folder / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    assert not folder.parent.exists()


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="only Linux ends a process with its parent")
def test_it_ends_where_whoever_started_it_is_killed():
    script = Path(module.__file__)
    with subprocess.Popen([sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        url = owner.stdout.readline().strip()
        folder = Path(ask(url, "SHOW data_directory")).parent
        owner.kill()
    until = time.monotonic() + 60
    while (folder / "data" / "postmaster.pid").exists():
        assert time.monotonic() < until, "the server lives on"
        time.sleep(0.05)
    shutil.rmtree(folder)


def test_a_server_that_cannot_start_is_told_with_what_it_said():
    with (
        pytest.raises(NoPostgresError, match="no_such_setting"),
        local_postgres(settings={"no_such_setting": "1"}),
    ):
        pass


def test_where_postgresql_is_not_the_package_is_named(monkeypatch):
    monkeypatch.setitem(module.TOOLS, "postgresql", Tool("postgresql", ("no-such-command",), ""))
    with pytest.raises(NoPostgresError, match="apt install postgresql"), local_postgres():
        pass


def test_the_newest_version_off_the_path_is_taken(tmp_path, monkeypatch):
    from scripts import system_tools

    for version in ("9.6", "15", "8.4"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "postgres").touch()
    monkeypatch.setattr(system_tools, "OFF_PATH", {"postgres": (str(tmp_path),)})
    monkeypatch.setenv("PATH", "")
    assert TOOLS["postgresql"].path() == str(tmp_path / "15" / "bin" / "postgres")
