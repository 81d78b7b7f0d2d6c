#!/usr/bin/env python3
"""A real PostgreSQL server of one's own, for tests, benchmarks and trials: made, started, stopped, gone.

usage: python scripts/local_postgres.py        starts one, prints its url, stops it at Ctrl-C or end of input

Rules
- The server listens on 127.0.0.1 at a free port, and keeps all it writes in one temporary folder that is removed.
- PostgreSQL refuses root: for root it runs as the user `postgres`, or `nobody`.
- Whoever has the url has the password; nobody else can connect.
- It is stopped by the id of the process we started, never by name; on Linux it also ends when whoever started it is
  killed.
- `durable=False` leaves out fsync: for tests that never pull the plug.

>>> database_url("postgresql+psycopg://u:p@127.0.0.1:5000/postgres", "other")
'postgresql+psycopg://u:p@127.0.0.1:5000/other'
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from scripts.system_tools import TOOLS

USER = "quychu"
START_SECONDS = 30
STOP_SECONDS = 20
TRIES = 3
"""Another process may take the free port between our look and the server's start."""


class NoPostgresError(RuntimeError):
    """No server could be started here."""


@contextmanager
def local_postgres(*, durable: bool = True, settings: dict[str, str] | None = None) -> Iterator[str]:
    """The url of a server's database `postgres`, as `postgresql+psycopg://…`; the server ends with the block."""
    folder = Path(tempfile.mkdtemp(prefix="quychu-pg-", dir=_short_folder()))
    try:
        password = secrets.token_urlsafe(24)
        _own(folder)
        _init(folder, password)
        server, url = _start(folder, password, _options(folder, settings or {}, durable=durable))
        try:
            yield url
        finally:
            _stop(server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def database_url(url: str, database: str) -> str:
    """The same server, another database."""
    return f"{url.rpartition('/')[0]}/{database}"


def driver_url(url: str) -> str:
    """The url as psycopg and psql take it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def _short_folder() -> str | None:
    """A socket's path has at most 107 characters."""
    return "/tmp" if len(tempfile.gettempdir()) > 60 else None  # noqa: S108 - mkdtemp makes a private folder there


def binary(name: str) -> str:
    """One of PostgreSQL's own programs (`pg_dump`), of the same version as the server."""
    found = TOOLS["postgresql"].path()
    if found is None:
        raise NoPostgresError(f"PostgreSQL is not here; run: apt install {TOOLS['postgresql'].package}")
    return str(Path(found).resolve().with_name(name))


def _account() -> dict[str, Any]:
    """Whom the server runs as: ourselves, or for root another user."""
    if os.name == "nt" or os.geteuid() != 0:
        return {}
    import pwd  # noqa: PLC0415 - Windows has no such module

    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _own(folder: Path) -> None:
    account = _account()
    if account:
        os.chown(folder, account["user"], account["group"])


def _init(folder: Path, password: str) -> None:
    secret = folder / "password"
    secret.write_text(password, encoding="ascii")
    _own(secret)
    command = [binary("initdb"), "--pgdata", str(folder / "data"), "--username", USER, "--pwfile", str(secret)]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync", "--no-instructions"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, **_account())
    secret.unlink()
    if done.returncode:
        raise NoPostgresError(f"initdb failed: {done.stderr.strip().splitlines()[-1]}")


def _options(folder: Path, settings: dict[str, str], *, durable: bool) -> list[str]:
    told = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": str(folder),
        "max_connections": "120",
        "shared_buffers": "64MB",
        "log_min_messages": "fatal",
        "fsync": "on" if durable else "off",
        "full_page_writes": "on" if durable else "off",
        **settings,
    }
    return [part for name, value in told.items() for part in ("-c", f"{name}={value}")]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(folder: Path, password: str, options: list[str]) -> tuple[subprocess.Popen[bytes], str]:
    log = folder / "server.log"
    for _ in range(TRIES):
        port = _free_port()
        command = [*_ends_with_us(), binary("postgres"), "-D", str(folder / "data"), "-p", str(port), *options]
        with log.open("ab") as out:
            # A session of its own: Ctrl-C at the terminal must not stop the server before those who use it.
            server = subprocess.Popen(command, cwd=folder, stdout=out, stderr=out, start_new_session=True, **_account())
        url = f"postgresql+psycopg://{USER}:{password}@127.0.0.1:{port}/postgres"
        if _answers(server, url):
            return server, url
        _stop(server)
    raise NoPostgresError(f"the server did not start: {log.read_text(encoding='utf-8').strip()[-300:]}")


def _ends_with_us() -> list[str]:
    """A killed parent cannot stop its server: Linux tells the server to, where util-linux is there to ask for it."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "INT", "--"] if setpriv else []


def _answers(server: subprocess.Popen[bytes], url: str) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            psycopg.connect(driver_url(url), connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return True
    return False


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Fast shutdown; if need be, the hard way."""
    if server.poll() is None:
        server.send_signal(signal.SIGINT)
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)
        server.wait(STOP_SECONDS)


def main() -> int:
    """Start a server, print its url, wait for the end."""
    with local_postgres() as url:
        print(url, flush=True)
        try:
            sys.stdin.read()
        except KeyboardInterrupt:
            print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
