"""A small world for the simulator: the simulator over real HTTP, and a service that talks the protocol to it.

Rules
- `Service` is no mock of our service: it holds keys, seals and opens, and answers pings, revisions and declarations
  over HTTP as the protocol says. What it was told stands in its lists.
- `running` runs the simulator in a thread of the test's process, `Process` in a process of its own that can be killed.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette

from confirm_api.vneid_sim.app import create_app
from confirm_api.vneid_sim.driver import DriverClient
from confirm_api.vneid_sim.settings import parse as parse_settings
from exchange import transport
from exchange.ids import new_binding_message, new_id, new_token
from exchange.kinds import KINDS, SEALED_TYPE, VNEID
from exchange.payloads import parse
from exchange.sealed.keys import Directory, JwkSet, KeySet, Own, Peer
from exchange.sealed.open import Opened, open_sealed
from exchange.sealed.seal import Sealed, seal

ROOT = Path(__file__).resolve().parents[3]
SERVICE_ISS, VNEID_ISS = "urn:quychu:peer:service", "urn:quychu:peer:vneid"
DRIVER_TOKEN = "a-driver-token-of-the-tests"
CITIZEN, NEIGHBOUR = "045085001234", "045190004321"
DAY = 86_400


def wait_for(true: Callable[[], Any], seconds: float = 30.0) -> Any:
    """What `true` gives once it gives something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := true():
            return found
        time.sleep(0.02)
    raise AssertionError("waited in vain")


def item(*, serial_known: bool = True, **facts: str) -> dict[str, Any]:
    """One parcel as it is asked about."""
    told = {
        "commune": "Xã Vĩnh Linh",
        "hamlet": "Thôn Tiên Mỹ",
        "land_use": "Đất ở tại nông thôn",
        "area": "khoảng 350 m²",
        "certificate": "cấp năm 2004, số phát hành bắt đầu bằng AD",
    } | facts
    challenge = {"kind": "certificate_suffix", "length": 4} if serial_known else {"kind": "none", "length": 0}
    return {
        "item_id": new_id(),
        "facts": [{"label": label, "value": value} for label, value in told.items()],
        "challenge": challenge,
    }


def ask(items: list[dict[str, Any]], citizen_id: str = CITIZEN, **changes: Any) -> dict[str, Any]:
    """A `landask`."""
    asked = {"question_id": changes.get("question_id") or new_id(), "attempt": changes.get("attempt", 1)}
    return {
        "scope": "openid land_confirmation",
        "login_hint": citizen_id,
        "client_notification_token": changes.get("token") or new_token(),
        "binding_message": changes.get("binding_message") or new_binding_message(),
        "requested_expiry": changes.get("requested_expiry", 20 * DAY),
        "ask": asked | {"purpose": "land_confirmation", "remind_after_days": [3, 10, 24], "items": items},
    }


def fetch(auth_req_id: str) -> dict[str, str]:
    """A `landfetch`."""
    return {"grant_type": "urn:openid:params:grant-type:ciba", "auth_req_id": auth_req_id}


def mine(item_id: str, response: str | None = None) -> dict[str, Any]:
    """The answer `mine`."""
    return {"item_id": item_id, "verdict": "mine", "challenge_response": response, "corrections": []}


@dataclass
class Service:
    """The other end of the line: asks, fetches, cancels; takes pings, revisions, declarations."""

    sim_url: str = ""
    suite: str = "vn-p256"
    own: Own = field(default_factory=lambda: Own(SERVICE_ISS, KeySet.generate()))
    clock: Callable[[], float] = time.time
    sim_keys: JwkSet | None = None
    pings: list[tuple[str, str]] = field(default_factory=list)
    heard: list[Opened] = field(default_factory=list)
    status_of: Callable[[str, int], int | None] = lambda _path, _count: None
    """A status to answer instead, by path and number of the call."""
    decl_status: str = "queued_for_review"

    def __post_init__(self) -> None:
        self.client = transport.Client()
        self.calls = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def sim(self) -> Peer:
        assert self.sim_keys is not None
        return Peer("vneid", VNEID, VNEID_ISS, self.sim_keys, self.suite, self.sim_url)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.client.close()

    # ── what it asks ─────────────────────────────────────────────────────────────────────────────────────────────────

    def seal(self, typ: str, payload: dict[str, Any], **changes: Any) -> Sealed:
        return seal(payload, typ=typ, peer=self.sim, **{"own": self.own, "now": int(self.clock())} | changes)

    def post(self, path: str, body: bytes, content_type: str = SEALED_TYPE) -> transport.HttpAnswer:
        return transport.post(self.client, self.sim_url + path, body, content_type=content_type)

    def send(self, typ: str, payload: dict[str, Any], **changes: Any) -> tuple[transport.HttpAnswer, Sealed]:
        sent = self.seal(typ, payload, **changes)
        return self.post(KINDS[typ].path, sent.body), sent

    def asked(self, payload: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        answer, _ = self.send("landask+jwt", payload)
        return answer.status, json.loads(answer.body)

    def id_of(self, payload: dict[str, Any]) -> str:
        status, answer = self.asked(payload)
        assert status == 200, answer
        return str(answer["auth_req_id"])

    def fetched(self, auth_req_id: str) -> dict[str, Any] | str:
        """The reply, or the error."""
        answer, sent = self.send("landfetch+jwt", fetch(auth_req_id))
        if answer.status == 400:
            return str(json.loads(answer.body)["error"])
        return self.opened(answer, "landreply+jwt", sent.jti)

    def opened(self, answer: transport.HttpAnswer, typ: str, jti: str) -> dict[str, Any]:
        found = open_sealed(
            answer.body,
            typ=typ,
            own=self.own,
            directory=Directory([self.sim]),
            roles={VNEID},
            now=int(self.clock()),
            re=jti,
            suite=self.suite,
            content_type=answer.content_type,
        )
        parse(typ, found.payload)
        return found.payload

    # ── what it is told ──────────────────────────────────────────────────────────────────────────────────────────────

    def _answer(self, path: str, token: str, body: bytes) -> tuple[int, str, bytes]:
        self.calls += 1
        if forced := self.status_of(path, self.calls):
            return forced, "text/plain", b""
        if path == "/v1/callbacks/vneid":
            self.pings.append((json.loads(body)["auth_req_id"], token.removeprefix("Bearer ")))
            return 204, "text/plain", b""
        return 200, SEALED_TYPE, self._receipt(path, body)

    def _receipt(self, path: str, body: bytes) -> bytes:
        typ = next(kind.typ for kind in KINDS.values() if kind.path == path)
        directory = Directory([self.sim])
        opened = open_sealed(body, typ=typ, own=self.own, directory=directory, roles={VNEID}, now=int(self.clock()))
        parse(typ, opened.payload)
        self.heard.append(opened)
        receipt = {name: opened.payload[name] for name in ("revises", "declaration_id") if name in opened.payload}
        if typ == "landdecl+jwt":
            receipt["status"] = self.decl_status
        answer = str(KINDS[typ].answer)
        return seal(receipt, typ=answer, own=self.own, peer=self.sim, now=int(self.clock()), re=opened.jti).body

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status, kind, content = service._answer(self.path, self.headers.get("authorization", ""), body)
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                """Nobody reads it."""

        return Handler


@dataclass
class Running:
    """A simulator that listens."""

    url: str
    app: Starlette
    service: Service
    folder: Path

    @property
    def driver(self) -> DriverClient:
        return DriverClient(self.url, DRIVER_TOKEN)

    @property
    def simulator(self) -> Any:
        return self.app.state.simulator


@contextlib.contextmanager
def running(folder: Path, *, clock: Callable[[], float] = time.time, **settings: Any) -> Iterator[Running]:
    """The simulator in a thread, and its service."""
    service = Service(clock=clock)
    keys = folder / "vneid.keys.json"
    if not keys.exists():
        KeySet.generate().save(keys)
    (folder / "service.jwks.json").write_bytes(service.own.keys.public().to_json())
    service.sim_keys = KeySet.load(keys).public()
    content = {
        "keys": keys,
        "database": folder / "sim.sqlite3",
        "service": {"jwks": folder / "service.jwks.json", "url": service.url},
        "driver": {"token": DRIVER_TOKEN},
        "outbox": {"retry_seconds": [0, 0.1, 0.1, 0.1], "ping_retry_seconds": [0, 0.1]},
    } | settings
    app = create_app(parse_settings(content), clock=clock)
    with _served(app) as url, contextlib.closing(service):
        service.sim_url = url
        yield Running(url, app, service, folder)


@contextlib.contextmanager
def _served(app: Starlette) -> Iterator[str]:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    wait_for(lambda: server.started)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


@dataclass
class Process:
    """The simulator as `quychu vneid-sim --dev FOLDER` runs it."""

    folder: Path
    service: Service
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "service.jwks.json").write_bytes(self.service.own.keys.public().to_json())
        ready = self.folder / "ready.json"
        ready.unlink(missing_ok=True)
        code = "from confirm_api.vneid_sim.commands import vneid_sim; vneid_sim()"
        options = ["--dev", str(self.folder), "--service-url", self.service.url]
        self.running = subprocess.Popen([sys.executable, "-c", code, *options], cwd=ROOT, stdout=subprocess.DEVNULL)
        wait_for(lambda: ready.exists() or self.running.poll() is not None, 20)
        self.ready = json.loads(ready.read_text())
        self.service.sim_url = self.ready["url"]
        self.service.sim_keys = JwkSet.load(self.folder / "vneid.jwks.json")

    @property
    def driver(self) -> DriverClient:
        return DriverClient(self.ready["url"], self.ready["driver_token"])

    def kill(self) -> None:
        assert self.running is not None
        self.running.kill()
        self.running.wait()

    def stop(self) -> None:
        if self.running is not None and self.running.poll() is None:
            self.running.terminate()
            self.running.wait(timeout=15)
