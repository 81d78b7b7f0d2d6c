"""The application on a real port: uvicorn in a thread, our own sealed client beside it."""

import json
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import httpx
import uvicorn
import uvloop

from confirm_api.app import Deps
from confirm_api.audit import log
from confirm_api.audit.checkpoint import new_log_key
from confirm_api.routes.messages import UseCases
from confirm_api.service.answer import UseCaseAnswer
from exchange.ids import new_id
from exchange.sealed.keys import Directory, KeySet, Own, Peer
from exchange.sealed.open import open_sealed
from exchange.sealed.seal import seal

SUITES = ("vn-p256", "modern-25519")
ROLES = ("service", "engine", "vneid", "police")
KEYS = {role: KeySet.generate(list(SUITES)) for role in ROLES}
LOG_KEY = new_log_key("example.com/log")
HTTP = httpx.Client(timeout=20, verify=False, trust_env=False)
"""Made once: reading the system's certificates takes longer than most tests."""


def own(role):
    return Own(f"urn:quychu:peer:{role}", KEYS[role])


def peer(role, suite="vn-p256"):
    return Peer(role, role, f"urn:quychu:peer:{role}", KEYS[role].public(), suite)


@dataclass
class Trials:
    """Use cases that do what the test says, so that the reception is what is tested."""

    seen: list = field(default_factory=list)
    fault: Exception | None = None

    def withdraw(self, unit, model, _peer):
        self.seen.append(model.batch_id)
        unit.leaf("state", "accepted", reason="effect")
        if self.fault:
            raise self.fault
        content = {"batch_id": model.batch_id, "withdrawn": [], "too_late": [], "unknown": list(model.question_ids)}
        return UseCaseAnswer(content, question_id=model.question_ids[0])

    def callback(self, _unit, auth_req_id, token):
        self.seen.append((auth_req_id, token))
        return token == "good" * 8

    def use_cases(self):
        other = self.withdraw
        return UseCases(other, self.withdraw, other, other, other, other, self.callback)


def deps(units, tmp_path, trials=None, **changes):
    directory = Directory([peer("engine"), peer("vneid"), peer("police")])
    made = Deps(units, own("service"), directory, LOG_KEY, (trials or Trials()).use_cases(), tmp_path)
    return replace(made, **changes)


@contextmanager
def served(app):
    """The address of `app`, served until the end of the block."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="on", loop="uvloop", http="httptools")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: uvloop.run(server.serve([listener])), daemon=True)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            threading.Event().wait(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@dataclass
class Client:
    """A peer that seals as the protocol says."""

    base: str
    clock: object
    role: str = "engine"
    suite: str = "vn-p256"
    http: httpx.Client = HTTP

    def seal(self, typ, payload, **changes):
        told = {"own": own(self.role), "peer": peer("service", self.suite), "now": self.clock()} | changes
        return seal(payload, typ=typ, **told)

    def post(self, path, body, **headers):
        headers = {"Content-Type": "application/jose"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return self.http.post(self.base + path, content=body, headers=headers)

    def send(self, path, typ, payload, answer):
        """A whole exchange: the opened answer."""
        sealed = self.seal(typ, payload)
        response = self.post(path, sealed.body)
        assert response.status_code == 200, (response.status_code, response.content)
        return open_sealed(
            response.content,
            typ=answer,
            own=own(self.role),
            directory=Directory([peer("service")]),
            roles=["service"],
            now=self.clock(),
            re=sealed.jti,
            suite=self.suite,
            content_type=response.headers["content-type"],
        )


def withdraw_payload():
    return {"batch_id": new_id(), "question_ids": [new_id()], "reason": "a reason"}


def leaves_of(base, units):
    """All leaves, numbered now, as anybody may read them."""
    with units.begin() as unit:
        size = log.sequence(unit.conn, unit.now, LOG_KEY).size
    text = HTTP.get(f"{base}/v1/log/leaves?from=0&to={size}").text
    return [json.loads(line) for line in text.splitlines()]
