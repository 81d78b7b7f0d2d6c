"""A whole world on loopback: keys and settings of all parties in one folder, and the two servers as processes.

Rules
- For demos, trials, tests and benchmarks: everything listens on 127.0.0.1, at ports free when it was laid out.
- Each party has its own private keys and sees the others' public ones only, as in production.
- Laying out again keeps what is there: a server may be killed and started again on the same data.
- A server is ready when it has written its ready file; one that ends before says why in `<name>.log`.
- Servers are ended by the id of the process that was started, first politely.

Worked example:

    world = lay_out(Path("demo-run/circle"))
    with running(world) as servers:
        ...  # quychu ask --run … --config demo-run/circle/circle.toml
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confirm_api.audit.checkpoint import new_log_key, write_log_key
from confirm_api.store.master_keys import MasterKeys
from exchange.sealed.keys import KeySet
from exchange.sealed.suites import SUITES
from quychu.errors import QuychuError

ORIGIN = "quychu.local/log"
PARTIES = ("service", "engine", "vneid", "police")
START_SECONDS = 60.0
STOP_SECONDS = 20.0


class WorldError(QuychuError):
    """A server of the world did not start or did not end."""

    code = "world"


@dataclass(frozen=True)
class World:
    """Where the parties' settings lie, and where the servers listen."""

    folder: Path
    service_url: str
    provider_url: str

    @property
    def service_config(self) -> Path:
        """Of `quychu serve`."""
        return self.folder / "confirm_api.toml"

    @property
    def provider_config(self) -> Path:
        """Of `quychu vneid-sim`."""
        return self.folder / "vneid_sim.toml"

    @property
    def circle_config(self) -> Path:
        """Of `quychu ask`, `collect`, `withdraw`."""
        return self.folder / "circle.toml"

    def keys(self, party: str) -> Path:
        """The private keys of a party."""
        return self.folder / "keys" / f"{party}.keys.json"

    def jwks(self, party: str) -> Path:
        """The public keys of a party."""
        return self.folder / "keys" / f"{party}.jwks.json"


@dataclass(frozen=True)
class Told:
    """What may differ from world to world; tables are merged into the settings files."""

    suite: str = "vn-p256"
    database: str = "sqlite:///confirm_api.sqlite3"
    key_store: str = "sqlite:///key_store.sqlite3"
    ports: tuple[int, int] | None = None
    """Of the service and of the provider; free ones where None."""
    service: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    provider: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def lay_out(folder: Path, told: Told | None = None) -> World:
    """Make what is missing of a world in `folder`; what is there stays."""
    told = told or Told()
    (folder / "keys").mkdir(parents=True, exist_ok=True)
    place = folder / "world.json"
    if place.exists():
        return World(folder, **json.loads(place.read_text(encoding="utf-8")))
    service, provider = (f"http://127.0.0.1:{port}" for port in told.ports or free_ports(2))
    world = World(folder, service, provider)
    for party in PARTIES:
        keys = KeySet.generate(list(SUITES))
        keys.save(world.keys(party))
        world.jwks(party).write_bytes(keys.public().to_json())
    MasterKeys.make(folder / "keys" / "store")
    write_log_key(new_log_key(ORIGIN), folder / "keys" / "log.key")
    for name, url in (("database", told.database), ("key_store", told.key_store)):
        if not _is_file(url):
            _write_private(folder / "keys" / f"{name}.url", url)
    _write_private(folder / "keys" / "driver.token", secrets.token_urlsafe(32))
    world.service_config.write_text(_toml(_merged(_service(world, told), told.service)), encoding="utf-8")
    world.provider_config.write_text(_toml(_merged(_provider(world, told), told.provider)), encoding="utf-8")
    world.circle_config.write_text(_toml(_circle(world, told)), encoding="utf-8")
    place.write_text(json.dumps({"service_url": service, "provider_url": provider}), encoding="utf-8")
    return world


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for made in sockets:
            made.bind(("127.0.0.1", 0))
        return [int(made.getsockname()[1]) for made in sockets]


# ---- servers -------------------------------------------------------------------------------------------------------


@dataclass
class Server:
    """One server as a process of its own."""

    name: str
    arguments: list[str]
    ready_file: Path
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> dict[str, Any]:
        """Start it and wait until it listens; what its ready file says."""
        self.ready_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "quychu.cli", *self.arguments, "--ready-file", str(self.ready_file)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own command with our own arguments
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
                start_new_session=True,  # a Ctrl-C at the terminal is ours to pass on
            )
        return self._wait()

    def _wait(self) -> dict[str, Any]:
        assert self.process is not None
        give_up = time.monotonic() + START_SECONDS
        while time.monotonic() < give_up:
            if self.ready_file.exists():
                told: dict[str, Any] = json.loads(self.ready_file.read_text(encoding="utf-8"))
                return told
            if self.process.poll() is not None:
                raise WorldError(f"{self.name}: expected it to start, found it ended; {_last_line(self.log)}")
            time.sleep(0.02)
        self.stop()
        raise WorldError(f"{self.name}: expected it to listen within {START_SECONDS:.0f} s; see {self.log}")

    def stop(self) -> None:
        """End it politely, and without a question where it does not listen."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(STOP_SECONDS)


@dataclass(frozen=True)
class Servers:
    """The two servers of a world."""

    service: Server
    provider: Server

    def driver(self) -> str:
        """The provider's ready file, with the address and token of its driver API."""
        return self.provider.ready_file.read_text(encoding="utf-8")

    def wait(self) -> None:
        """Until a stop is asked for; `WorldError` where one of them ends by itself."""
        with _told_to_stop() as stop:
            while not stop.wait(0.5):
                for server in (self.service, self.provider):
                    if server.process is not None and server.process.poll() is not None:
                        raise WorldError(f"{server.name}: ended by itself; {_last_line(server.log)}")


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set, so that the servers are ended in order."""
    stop = threading.Event()
    before = {sign: signal.signal(sign, lambda *_: stop.set()) for sign in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


def servers_of(world: World) -> Servers:
    """The servers, not started."""
    return Servers(
        Server(
            "service",
            ["serve", "--config", str(world.service_config)],
            world.folder / "service.ready.json",
            world.folder / "service.log",
        ),
        Server(
            "provider",
            ["vneid-sim", "--config", str(world.provider_config)],
            world.folder / "provider.ready.json",
            world.folder / "provider.log",
        ),
    )


@contextmanager
def running(world: World) -> Iterator[Servers]:
    """Both servers, started, and ended with the block."""
    servers = servers_of(world)
    try:
        servers.provider.start()
        servers.service.start()
        yield servers
    finally:
        servers.service.stop()
        servers.provider.stop()


# ---- settings ------------------------------------------------------------------------------------------------------


def _service(world: World, told: Told) -> dict[str, Any]:
    peers = [
        {"name": party, "role": party, "iss": f"urn:quychu:peer:{party}", "jwks": f"keys/{party}.jwks.json"}
        for party in PARTIES
        if party != "service"
    ]
    for peer in peers:
        peer["suite"] = told.suite
        if peer["role"] == "vneid":
            peer["url"] = world.provider_url
    return {
        "service": {"keys": "keys/service.keys.json", "port": _port(world.service_url)},
        "database": {"url": _location("database", told.database)},
        "key_store": {
            "url": _location("key_store", told.key_store),
            "master": {"file": "keys/store/master.key"},
            "index": {"file": "keys/store/index.key"},
        },
        "audit": {"origin": ORIGIN, "key": "keys/log.key"},
        "office": {"cookie_secure": False},
        "peers": peers,
    }


def _provider(world: World, told: Told) -> dict[str, Any]:
    return {
        "listen": world.provider_url.removeprefix("http://"),
        "keys": "keys/vneid.keys.json",
        "service": {"jwks": "keys/service.jwks.json", "url": world.service_url, "suite": told.suite},
        "driver": {"token_file": "keys/driver.token"},
        "provider": {"interval_seconds": 1},
    }


def _circle(world: World, told: Told) -> dict[str, Any]:
    return {
        "keys": "keys/engine.keys.json",
        "service": {"url": world.service_url, "jwks": "keys/service.jwks.json", "suite": told.suite},
    }


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])


def _is_file(url: str) -> bool:
    return url.startswith("sqlite:///")


def _location(name: str, url: str) -> Any:
    """SQLite's file relative to the settings; a url with a password in a private file of its own."""
    return url if _is_file(url) else {"file": f"keys/{name}.url"}


def _merged(settings: dict[str, Any], more: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return settings | {name: {**settings.get(name, {}), **table} for name, table in more.items()}


def _toml(settings: Mapping[str, Any]) -> str:
    """TOML of two levels: values and inline tables, tables, lists of tables.

    >>> print(_toml({"keys": "k.json", "service": {"port": 1}, "peers": [{"name": "engine"}]}), end="")
    keys = "k.json"
    [service]
    port = 1
    [[peers]]
    name = "engine"
    """
    plain = {name: value for name, value in settings.items() if not isinstance(value, dict | list)}
    lines = [f"{name} = {_value(value)}" for name, value in plain.items()]
    for name, value in settings.items():
        for heading, rows in _tables(name, value):
            lines += [heading, *(f"{key} = {_value(item)}" for key, item in rows.items())]
    return "\n".join(lines) + "\n"


def _tables(name: str, value: Any) -> list[tuple[str, Mapping[str, Any]]]:
    if isinstance(value, dict):
        return [(f"[{name}]", value)]
    return [(f"[[{name}]]", row) for row in value] if isinstance(value, list) else []


def _value(value: Any) -> str:
    """JSON's strings, numbers, booleans and lists are TOML's too."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_value(item)}" for key, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
