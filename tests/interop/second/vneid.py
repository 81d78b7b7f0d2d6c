"""An identity provider led by hand: it answers the service by the protocol, the test says what the citizen does.

Rules
- The same `question_id` and `attempt` with the same `login_hint` and `ask` gives the same `auth_req_id`; with others,
  `invalid_request`.
- A reply, once given, is the same at every landfetch, sealed anew; a cancel after it does not take it away.
- The ping carries the last token the provider took.
- A `Fault` spoils the next exchange of one citizen: before it has an effect, or after (the answer is lost or bent).

Worked example: `provider.wait_for_ask(citizen)` gives the open request, `provider.answer(request, [mine(item)])` is the
citizen's tap, `provider.ping(request)` tells the service.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from tests.interop.second import schemas, wire
from tests.interop.second.caller import Caller, Journal
from tests.interop.second.envelope import (
    CONTENT_TYPE,
    STRAIGHT,
    Inbox,
    Opened,
    Party,
    Refused,
    Twist,
    new_id,
    same_content,
    seal,
)
from tests.interop.second.server import Request, Response, invalid, listening, plain, unacceptable

KINDS: Final = {"/bc-authorize": "landask+jwt", "/token": "landfetch+jwt", "/cancel": "landcancel+jwt"}
REMEMBERED_SECONDS: Final = 7 * 86_400
GOOD_ACR: Final = "urn:vneid:level:2"
CALLBACK: Final = "/v1/callbacks/vneid"
REVISIONS: Final = "/v1/revisions"
DECLARATIONS: Final = "/v1/declarations"


def verdict(item_id: str, said: str, response: str | None = None, corrections: Any = ()) -> dict[str, Any]:
    """One answer of a citizen."""
    return {
        "item_id": item_id,
        "verdict": said,
        "challenge_response": response,
        "corrections": list(corrections),
    }


@dataclass
class Asked:
    """One attempt of a question, as the app sees it."""

    auth_req_id: str
    question_id: str
    attempt: int
    citizen_id: str
    binding_message: str
    ask: dict[str, Any]
    opened_at: float
    expires_in: int
    interval: int
    tokens: list[str] = field(default_factory=list)
    ask_jtis: list[str] = field(default_factory=list)
    suites: list[str] = field(default_factory=list)
    reply: dict[str, Any] | None = None
    denied: bool = False
    cancels: list[str] = field(default_factory=list)
    fetches: list[float] = field(default_factory=list)

    @property
    def items(self) -> list[str]:
        """The ids of the asked items."""
        return [item["item_id"] for item in self.ask["items"]]

    def is_remembered(self, now: float) -> bool:
        """Whether a reply is still given out."""
        return now < self.opened_at + self.expires_in + REMEMBERED_SECONDS

    def is_expired(self, now: float) -> bool:
        """Whether the citizen can no longer answer."""
        return now >= self.opened_at + self.expires_in


@dataclass(frozen=True)
class Fault:
    """What goes wrong at the next exchange of a citizen."""

    bend: Callable[[Response], Response | None] = lambda _: None
    """From the good answer to what is sent; None drops the connection."""
    before_effect: bool = False
    """Whether the provider forgets that it was asked."""


@dataclass(frozen=True)
class Policy:
    """How the provider treats a citizen's requests."""

    expires_in: int = 86_400
    interval: int = 1
    error: str | None = None
    """An error code of /bc-authorize."""
    on_reply: Twist = STRAIGHT
    """How every reply of this citizen is bent."""


@dataclass(frozen=True)
class Arrival:
    """An exchange as the provider saw it."""

    path: str
    citizen_id: str | None
    opened: Opened | None
    failed_check: int | None
    status: int | None
    at: float


@dataclass
class Provider:
    """The provider; made before the service, whose address is told later by `meet`."""

    me: Party
    clock: Callable[[], float] = time.time
    journal: Journal = field(default_factory=Journal)
    url: str = ""
    service_url: str = ""
    requests: dict[str, Asked] = field(default_factory=dict)
    arrivals: list[Arrival] = field(default_factory=list)
    policies: dict[str, Policy] = field(default_factory=dict)
    faults: dict[tuple[str, str], deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    _inbox: Inbox | None = None
    _service: Party | None = None
    _changed: threading.Condition = field(default_factory=lambda: threading.Condition(threading.RLock()))

    @contextlib.contextmanager
    def running(self, port: int = 0) -> Iterator[Provider]:
        """Listen on loopback."""
        with listening(self._handle, port) as url:
            self.url = url
            yield self

    def meet(self, service: Party, service_url: str) -> None:
        """Pin the service's keys and address."""
        self._service, self.service_url = service, service_url
        self._inbox = Inbox(self.me, (service,))

    # What a test does for the citizen

    def policy(self, citizen_id: str, policy: Policy) -> None:
        """Say how a citizen's requests are treated from now on."""
        with self._changed:
            self.policies[citizen_id] = policy

    def spoil(self, citizen_id: str, path: str, *faults: Fault) -> None:
        """Line up faults for the next exchanges of this citizen at this path."""
        with self._changed:
            self.faults[citizen_id, path].extend(faults)

    def wait_for_ask(self, citizen_id: str, attempt: int = 1, seconds: float = 45) -> Asked:
        """The newest request to this citizen once an attempt has this number."""
        self.wait(lambda: self.find(citizen_id, attempt) is not None, seconds, f"attempt {attempt} of a question")
        found = self.find(citizen_id, attempt)
        assert found is not None
        return found

    def find(self, citizen_id: str, attempt: int = 1) -> Asked | None:
        """The newest request to this citizen with this attempt number."""
        with self._changed:
            fits = [r for r in self.requests.values() if (r.citizen_id, r.attempt) == (citizen_id, attempt)]
            return fits[-1] if fits else None

    def wait(self, holds: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait until something was seen at the provider."""
        with self._changed:
            if not self._changed.wait_for(holds, seconds):
                raise AssertionError(f"the service did not bring {what} within {seconds:g} s")

    def reply_content(self, asked: Asked, answers: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
        """A good reply, unless changes are named."""
        return {
            "auth_req_id": asked.auth_req_id,
            "question_id": asked.question_id,
            "attempt": asked.attempt,
            "ask_jti": asked.ask_jtis[-1],
            "sub": asked.citizen_id,
            "acr": GOOD_ACR,
            "answers": answers,
            "answered_at": int(self.clock()),
            **changes,
        }

    def answer(self, asked: Asked, answers: list[dict[str, Any]], *, ping: bool = True, **changes: Any) -> None:
        """The citizen answers; the service is pinged unless the ping is to be lost."""
        with self._changed:
            asked.reply = self.reply_content(asked, answers, **changes)
        if ping:
            self.ping(asked)

    def deny(self, asked: Asked, *, ping: bool = True) -> None:
        """The citizen declines."""
        with self._changed:
            asked.denied = True
        if ping:
            self.ping(asked)

    def ping(self, asked: Asked, token: str | None = None) -> wire.Answer:
        """POST the callback, with the last token taken."""
        return self.callback({"auth_req_id": asked.auth_req_id}, token or asked.tokens[-1])

    def callback(
        self, content: Any, token: str | None, content_type: str = "application/json", scheme: str = "Bearer"
    ) -> wire.Answer:
        """POST whatever to the callback."""
        headers = {"Content-Type": content_type}
        if token is not None:
            headers["Authorization"] = f"{scheme} {token}".strip()
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return wire.post(self.service_url + CALLBACK, body, headers)

    def caller(self, suite: str) -> Caller:
        """The provider as one who posts to the service."""
        assert self._service is not None
        return Caller(self.me, self._service, self.service_url, suite, self.journal, self.clock)

    def revise(self, suite: str, content: dict[str, Any]) -> dict[str, Any]:
        """POST a landrevise; the receipt."""
        return self.caller(suite).ask(REVISIONS, "landrevise+jwt", content, "landrevise-receipt+jwt").content

    def declare(self, suite: str, content: dict[str, Any]) -> dict[str, Any]:
        """POST a landdecl; the receipt."""
        return self.caller(suite).ask(DECLARATIONS, "landdecl+jwt", content, "landdecl-receipt+jwt").content

    # What the service brings

    def _handle(self, request: Request) -> Response | None:
        if request.path not in KINDS:
            return Response(404)
        opened, refused = self._open(request)
        if opened is None:
            self._note(request, None, None, refused, 400)
            return unacceptable(request)
        with self._changed:
            citizen_id = self._citizen(request.path, opened)
            fault = self._next_fault(citizen_id, request.path)
            response: Response | None
            if fault is None:
                response = self._respond(request.path, opened)
            else:
                good = Response(200) if fault.before_effect else self._respond(request.path, opened)
                response = fault.bend(good)
            self._note(request, citizen_id, opened, None, None if response is None else response.status)
            if response is not None and response.media_type == CONTENT_TYPE:
                self.journal.note(response.body, f"answer to {opened.typ}", response.status)
            self._changed.notify_all()
            return response

    def _open(self, request: Request) -> tuple[Opened | None, int | None]:
        assert self._inbox is not None
        headers = request.headers
        if headers.get("content-type", "").lower() != CONTENT_TYPE or "content-encoding" in headers:
            return None, 0
        try:
            with self._changed:
                return self._inbox.open_message(request.body, KINDS[request.path], now=self.clock()), None
        except Refused as refused:
            return None, refused.check

    def _note(
        self, request: Request, citizen_id: str | None, opened: Opened | None, failed: int | None, status: int | None
    ) -> None:
        with self._changed:
            self.journal.note(request.body, KINDS[request.path], status or 0)
            self.arrivals.append(Arrival(request.path, citizen_id, opened, failed, status, self.clock()))
            self._changed.notify_all()

    def _citizen(self, path: str, opened: Opened) -> str | None:
        if path == "/bc-authorize":
            return str(opened.content.get("login_hint"))
        asked = self.requests.get(str(opened.content.get("auth_req_id")))
        return None if asked is None else asked.citizen_id

    def _next_fault(self, citizen_id: str | None, path: str) -> Fault | None:
        waiting = self.faults.get((citizen_id or "", path))
        return waiting.popleft() if waiting else None

    def _respond(self, path: str, opened: Opened) -> Response:
        try:
            schemas.check(opened.typ, opened.content)
        except schemas.InvalidError as error:
            return invalid(str(error))
        answering = {"/bc-authorize": self._authorize, "/token": self._token, "/cancel": self._cancel}
        return answering[path](opened)

    def _authorize(self, opened: Opened) -> Response:
        content, now = opened.content, self.clock()
        policy = self.policies.get(content["login_hint"], Policy())
        if policy.error is not None:
            return plain(400, {"error": policy.error})
        asked = self._known(content)
        if asked is None:
            asked = self._new_request(content, policy, now)
        elif not same_content(
            {"a": asked.ask, "c": asked.citizen_id}, {"a": content["ask"], "c": content["login_hint"]}
        ):
            return plain(400, {"error": "invalid_request"})
        asked.tokens.append(content["client_notification_token"])
        asked.ask_jtis.append(opened.jti)
        asked.suites.append(opened.suite)
        left = max(0, int(asked.opened_at + asked.expires_in - now))
        expires_in = min(left, content["requested_expiry"])
        return plain(200, {"auth_req_id": asked.auth_req_id, "expires_in": expires_in, "interval": asked.interval})

    def _known(self, content: dict[str, Any]) -> Asked | None:
        name = (content["ask"]["question_id"], content["ask"]["attempt"])
        return next((r for r in self.requests.values() if (r.question_id, r.attempt) == name), None)

    def _new_request(self, content: dict[str, Any], policy: Policy, now: float) -> Asked:
        ask = content["ask"]
        asked = Asked(
            auth_req_id=new_id(),
            question_id=ask["question_id"],
            attempt=ask["attempt"],
            citizen_id=content["login_hint"],
            binding_message=content["binding_message"],
            ask=ask,
            opened_at=now,
            expires_in=min(policy.expires_in, content["requested_expiry"]),
            interval=policy.interval,
        )
        self.requests[asked.auth_req_id] = asked
        return asked

    def _token(self, opened: Opened) -> Response:
        asked, now = self.requests.get(opened.content["auth_req_id"]), self.clock()
        if asked is None or not asked.is_remembered(now):
            return plain(400, {"error": "invalid_grant"})
        asked.fetches.append(now)
        if asked.reply is not None:
            twist = self.policies.get(asked.citizen_id, Policy()).on_reply
            return self._sealed(opened, "landreply+jwt", asked.reply, twist)
        if asked.denied:
            return plain(400, {"error": "access_denied"})
        over = bool(asked.cancels) or asked.is_expired(now)
        return plain(400, {"error": "expired_token" if over else "authorization_pending"})

    def _cancel(self, opened: Opened) -> Response:
        asked = self.requests.get(opened.content["auth_req_id"])
        if asked is not None:
            asked.cancels.append(opened.content["reason"])
        return self._sealed(opened, "landcancel-receipt+jwt", {"auth_req_id": opened.content["auth_req_id"]})

    def _sealed(self, opened: Opened, typ: str, content: dict[str, Any], twist: Twist = STRAIGHT) -> Response:
        sealed = seal(
            self.me, opened.sender, typ, content, suite=opened.suite, now=self.clock(), re=opened.jti, twist=twist
        )
        return Response(200, CONTENT_TYPE, sealed.body)
