"""`quychu serve`: from a settings file to a listening service, and back to an orderly end.

Rules
- A bad start is one sentence and exit code 1: settings, keys, databases and the port are tried before anything listens.
- The schema is brought up to date before the first worker starts.
- SIGTERM: no new connection, requests under way are finished, then sequencer and worker end; exit code 0.
- Who wants to know when and where the service listens waits for the ready file: JSON with `url` and `pid`, whole or not
  there at all. Port 0 takes a free port.
- After a restore no message is taken for 70 s (protocol §5), and none is sent.
- With several workers each is a process with a sequencer and a worker of its own; what is to be done once is held by
  the database, not by us. They are started afresh, so that their counters go to the files named in the environment.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Event

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from confirm_api import logs, service
from confirm_api.app import Deps, create_app
from confirm_api.errors import SettingsError
from confirm_api.front import HEADER_BYTES
from confirm_api.pages import Office, router
from confirm_api.processes import Processes, end_with_parent
from confirm_api.routes.messages import UseCases
from confirm_api.settings import Settings, load
from confirm_api.store.engine import open_engine, upgrade
from confirm_api.store.vault import open_vault
from confirm_api.unit import Units
from confirm_api.worker import Worker
from exchange.kinds import VNEID
from exchange.sealed.key_files import write_file

RESTORE_PAUSE_SECONDS = 70
GRACE_SECONDS = 20
KEEP_ALIVE_SECONDS = 30
_VARIABLE = "QUYCHU_SERVE"
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@dataclass(frozen=True)
class Start:
    """How to start; what a worker process is told by its parent."""

    config: str
    pid: int
    paused_until: float = 0.0
    """Of the monotonic clock, which all processes of a machine share."""
    with_worker: bool = True
    ready_file: str | None = None
    url: str = ""


class Http(HttpToolsProtocol):
    """uvicorn's fast protocol, which itself takes headers of any size."""

    _heading = False
    _size = 0

    def on_message_begin(self) -> None:
        """A request line begins."""
        self._heading, self._size = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The headers end."""
        self._heading = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Count what comes before the headers end."""
        super().data_received(data)
        self._size += len(data)
        if self._heading and self._size > HEADER_BYTES and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()


class Server(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config, start: Start) -> None:
        super().__init__(config)
        self.start = start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        if self.started:
            self._tell()

    def _tell(self) -> None:
        url, pid = self.start.url, self.start.pid
        logs.get().info("listening", pid=os.getpid())
        if pid == os.getpid():
            sys.stdout.write(f"quychu serve listens on {url}\n")
            sys.stdout.flush()
        if self.start.ready_file:
            told = json.dumps({"url": url, "pid": pid})
            write_file(Path(self.start.ready_file), f"{told}\n".encode(), mode=0o644, replace_existing=True)


def run(
    config: Path,
    *,
    workers: int = 1,
    with_worker: bool = True,
    after_restore: bool = False,
    port: int | None = None,
    ready_file: Path | None = None,
) -> None:
    """Serve until told to end."""
    settings = load(config)
    pause = max(settings.service.pause_seconds, RESTORE_PAUSE_SECONDS if after_restore else 0)
    start = Start(str(config.resolve()), os.getpid(), time.monotonic() + pause if pause else 0.0, with_worker)
    start = replace(start, ready_file=None if ready_file is None else str(ready_file.resolve()))
    _upgrade(settings)
    if ready_file:
        ready_file.unlink(missing_ok=True)
    with _listening(settings.service.host, settings.service.port if port is None else port) as listener:
        told = replace(start, url=_url(settings, listener.getsockname()[1]))
        if workers == 1:
            _serve(settings, told, listener)
        else:
            _run_many(told, listener, workers)


def _run_many(start: Start, listener: socket.socket, workers: int) -> None:
    if os.name != "posix":
        raise SettingsError("several worker processes need a system that shares a socket; start with --workers 1.")
    with tempfile.TemporaryDirectory(prefix="quychu-metrics-") as folder:
        os.environ |= {_VARIABLE: json.dumps(asdict(start)), "PROMETHEUS_MULTIPROC_DIR": folder}
        Processes([sys.executable, "-m", "confirm_api.serve"], workers, listener).run()


def _run_worker(number: int) -> None:
    """One of several processes: on the socket that the parent holds."""
    end_with_parent()
    start = Start(**json.loads(os.environ[_VARIABLE]))
    with socket.socket(fileno=number) as listener:
        _serve(load(Path(start.config)), start, listener)


def _serve(settings: Settings, start: Start, listener: socket.socket) -> None:
    early: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: early.append(number))
    logs.configure(level=_level(settings))
    server = Server(_config(settings, assemble(settings, start)), start)
    # Until uvicorn listens to signals, and once more after its orderly end, when it raises what it got.
    signal.signal(signal.SIGTERM, lambda *_: setattr(server, "should_exit", True))
    if early:
        server.should_exit = True
    server.run([listener])


# ── assembling ───────────────────────────────────────────────────────────────────────────────────────────────────────


def assemble(settings: Settings, start: Start) -> ASGIApp:
    """Everything the settings name, opened and put together."""
    connections = settings.limits.threads + 4  # the sequencer, the worker, and two to spare
    engine = open_engine(settings.database.location(), pool_size=connections)
    vault = open_vault(settings.key_store.location(), settings.master_keys(), pool_size=connections)
    units = Units(engine, vault, _now)
    deps = Deps(
        units=units,
        own=settings.own(),
        directory=settings.directory(),
        log_key=settings.log_key(),
        use_cases=_use_cases(),
        folder=_folder(settings),
        rates=settings.rates(),
        proxies=settings.proxies(),
        threads=settings.limits.threads,
        most_waiting=settings.limits.most_waiting,
        paused_until=start.paused_until,
        sampling=settings.logs.sampling,
        routers=[router(Office.of(units, settings.office))],
    )
    return create_app(replace(deps, background=_background(settings, deps, start)))


def _use_cases() -> UseCases:
    return UseCases(
        accept_questions=service.accept_questions,
        withdraw=service.withdraw,
        collect=service.collect,
        revise=service.revise,
        declare=service.declare,
        residence=service.residence,
        callback=service.callback,
    )


def _background(settings: Settings, deps: Deps, start: Start) -> list[Callable[[Event], None]]:
    """The worker, where this process has one; after a restore it waits as long as the front door."""
    if not start.with_worker or not settings.worker.count:
        return []
    told = settings.worker
    worker = Worker(
        deps.units,
        deps.own,
        deps.directory.of_role(VNEID)[0],
        senders=told.count,
        claim_seconds=told.claim_seconds,
        idle_seconds=told.idle_seconds,
    )

    def work(stop: Event) -> None:
        if not stop.wait(max(0.0, start.paused_until - time.monotonic())):
            worker.run(stop)

    return [work]


def _now() -> int:
    return int(time.time())


def _upgrade(settings: Settings) -> None:
    """The schemas, by one process and before any other starts; the key store brings up its own when it is opened."""
    for location in (settings.database.location(), settings.key_store.location()):
        if location.startswith("sqlite:///"):
            Path(location.removeprefix("sqlite:///")).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = open_engine(settings.database.location(), pool_size=1)
    upgrade(engine)
    engine.dispose()


def _folder(settings: Settings) -> Path:
    """Whose disk has to have room: the database's where it is a file."""
    location = settings.database.location()
    return Path(location.removeprefix("sqlite:///")).parent if location.startswith("sqlite:///") else Path.cwd()


def _level(settings: Settings) -> int:
    return {"debug": 10, "info": 20, "warning": 30, "error": 40}[settings.logs.level]


# ── listening ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SettingsError(f"cannot listen on {host} port {port} ({error.strerror}); take another port.") from error
    return listener


def _url(settings: Settings, port: int) -> str:
    host = settings.service.host
    scheme = "https" if settings.service.tls else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _config(settings: Settings, app: ASGIApp) -> uvicorn.Config:
    tls = settings.service.tls
    return uvicorn.Config(
        app,
        http=Http,
        loop="auto",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_certfile=None if tls is None else str(tls.certificate),
        ssl_keyfile=None if tls is None else str(tls.key),
    )


if __name__ == "__main__":
    _run_worker(int(sys.argv[1]))
