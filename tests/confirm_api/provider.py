"""A provider of the tests' own over real HTTP: speaks the sealed protocol, remembers what it was told, fails on demand.

Rules
- It answers as protocol §3 says; `answers` holds what each citizen says (by item), nobody answers unless told.
- `faults` is a list of functions that may answer in its place, each used once, in order, for the path it names.
- Everything it was sent is kept in `asks`, `fetches`, `cancels`, so that a test can count.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from exchange.ids import new_id
from exchange.sealed.keys import Directory, KeySet, Own, Peer
from exchange.sealed.open import open_sealed
from exchange.sealed.seal import seal

KEYS = {role: KeySet.generate(["vn-p256"]) for role in ("service", "vneid")}
ISS = {role: f"urn:quychu:peer:{role}" for role in KEYS}
OWN = {role: Own(ISS[role], KEYS[role]) for role in KEYS}
SERVICE = Peer("service", "service", ISS["service"], KEYS["service"].public(), "vn-p256")
TYPS = {"/bc-authorize": "landask+jwt", "/token": "landfetch+jwt", "/cancel": "landcancel+jwt"}


def provider_peer(url: str) -> Peer:
    """The provider as the service knows it."""
    return Peer("vneid", "vneid", ISS["vneid"], KEYS["vneid"].public(), "vn-p256", url)


@dataclass
class Request:
    """One request at the provider."""

    auth_req_id: str
    login_hint: str
    ask: dict[str, Any]
    jtis: list[str]
    tokens: list[str]
    reply: dict[str, Any] | None = None
    error: str = "authorization_pending"


Answer = tuple[int, str, bytes, dict[str, str]]


@dataclass
class Provider:
    """The other side."""

    clock: Callable[[], int]
    interval: int = 1
    expires_in: int | None = None
    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    faults: list[tuple[str, Callable[[Any], Answer | None]]] = field(default_factory=list)
    requests: dict[tuple[str, int], Request] = field(default_factory=dict)
    asks: list[dict[str, Any]] = field(default_factory=list)
    fetches: list[dict[str, Any]] = field(default_factory=list)
    cancels: list[dict[str, Any]] = field(default_factory=list)
    bend: Callable[[dict[str, Any]], dict[str, Any]] = lambda reply: reply
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    # ---- what the citizen does ----

    def reply(self, question_id: str, *answers: dict[str, Any], attempt: int | None = None, **more: Any) -> None:
        """The citizen answers the last request of a question."""
        request = self.request(question_id, attempt)
        request.reply = {
            "auth_req_id": request.auth_req_id,
            "question_id": question_id,
            "attempt": request.ask["attempt"],
            "ask_jti": request.jtis[-1],
            "sub": request.login_hint,
            "acr": "urn:vneid:level:2",
            "answers": list(answers),
            "answered_at": self.clock(),
            **more,
        }

    def request(self, question_id: str, attempt: int | None = None) -> Request:
        """The last request of a question, or that of an attempt."""
        numbers = [number for known, number in self.requests if known == question_id]
        return self.requests[question_id, max(numbers) if attempt is None else attempt]

    # ---- what it answers ----

    def answer(self, path: str, body: bytes, content_type: str | None) -> Answer:
        """The answer to one message."""
        message = open_sealed(
            body,
            typ=TYPS[path],
            own=OWN["vneid"],
            directory=Directory([SERVICE]),
            roles=("service",),
            now=self.clock(),
            content_type=content_type,
        )
        with self.lock:
            kept = {"/bc-authorize": self.asks, "/token": self.fetches, "/cancel": self.cancels}[path]
            kept.append({**message.payload, "jti": message.jti})
            fault = next((one for one in self.faults if one[0] == path), None)
            if fault is not None:
                self.faults.remove(fault)
        if fault is not None and (found := fault[1](message)) is not None:
            return found
        return {"/bc-authorize": self._ask, "/token": self._token, "/cancel": self._cancel}[path](message)

    def _ask(self, message: Any) -> Answer:
        told = message.payload
        if told["login_hint"] in self.errors:
            return plain(400, {"error": self.errors[told["login_hint"]]})
        key = told["ask"]["question_id"], told["ask"]["attempt"]
        with self.lock:
            request = self.requests.setdefault(key, Request(new_id(), told["login_hint"], told["ask"], [], []))
            request.jtis.append(message.jti)
            request.tokens.append(told["client_notification_token"])
        if request.ask != told["ask"]:
            return plain(400, {"error": "invalid_request"})
        self._answer_at_once(request)
        expires_in = told["requested_expiry"] if self.expires_in is None else self.expires_in
        return plain(200, {"auth_req_id": request.auth_req_id, "expires_in": expires_in, "interval": self.interval})

    def _answer_at_once(self, request: Request) -> None:
        said = {one["item_id"]: one for one in self.answers.get(request.login_hint, ())}
        if said and request.reply is None:
            asked = [item["item_id"] for item in request.ask["items"]]
            self.reply(request.ask["question_id"], *(said[one] for one in asked), attempt=request.ask["attempt"])

    def _token(self, message: Any) -> Answer:
        wanted = message.payload["auth_req_id"]
        request = next((one for one in self.requests.values() if one.auth_req_id == wanted), None)
        if request is None:
            return plain(400, {"error": "invalid_grant"})
        if request.reply is None:
            return plain(400, {"error": request.error})
        return self.sealed(self.bend(request.reply), "landreply+jwt", message)

    def _cancel(self, message: Any) -> Answer:
        wanted = message.payload["auth_req_id"]
        for request in self.requests.values():
            if request.auth_req_id == wanted:
                request.error = "expired_token"
        return self.sealed({"auth_req_id": wanted}, "landcancel-receipt+jwt", message)

    def sealed(self, payload: dict[str, Any], typ: str, message: Any) -> Answer:
        """A sealed answer to a message."""
        body = seal(payload, typ=typ, own=OWN["vneid"], peer=SERVICE, now=self.clock(), re=message.jti).body
        return 200, "application/jose", body, {}


def plain(status: int, told: Any, **headers: str) -> Answer:
    """An answer in JSON."""
    return status, "application/json", json.dumps(told).encode(), headers


def failing(status: int, **headers: str) -> Callable[[Any], Answer]:
    """An answer with nothing in it."""
    return lambda _message: (status, "text/plain", b"", {name.replace("_", "-"): one for name, one in headers.items()})


def silent(_message: Any) -> Answer:
    """No answer at all: the connection is closed."""
    raise ConnectionError


def slow(seconds: float) -> Callable[[Any], None]:
    """The right answer, later."""

    def wait(_message: Any) -> None:
        time.sleep(seconds)

    return wait


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    provider: Provider

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            status, kind, text, headers = self.provider.answer(self.path, body, self.headers.get("content-type"))
        except ConnectionError:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(text)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_told: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    """On a free port of loopback, until it is stopped."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, provider: Provider) -> None:
        super().__init__(("127.0.0.1", 0), type("Handler", (_Handler,), {"provider": provider}))
        provider.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Close."""
        self.shutdown()
        self.server_close()
