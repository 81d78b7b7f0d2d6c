"""The service's side, as far as a provider sees it: ask, fetch, cancel; take pings, revisions and declarations.

Rules
- It keeps no life of a question: a test leads it by hand, so that a live provider can be driven by this implementation.
- The callback answers 204 to a token it gave out for that `auth_req_id`, else an empty 401.
"""

from __future__ import annotations

import base64
import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from tests.interop.second import schemas, strict_json, wire
from tests.interop.second.caller import Caller, Journal, UnexpectedError
from tests.interop.second.envelope import CONTENT_TYPE, Inbox, Opened, Party, Refused, Sealed, new_id, seal
from tests.interop.second.server import Request, Response, invalid, listening, unacceptable

GRANT: Final = "urn:openid:params:grant-type:ciba"
BINDING_SIGNS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
KINDS: Final = {"/v1/revisions": "landrevise+jwt", "/v1/declarations": "landdecl+jwt"}


def new_binding() -> str:
    """A fresh `XXXX-XXXX`."""
    signs = [secrets.choice(BINDING_SIGNS) for _ in range(8)]
    return "".join(signs[:4]) + "-" + "".join(signs[4:])


def item(**changes: Any) -> dict[str, Any]:
    """An item as a citizen sees it."""
    return {
        "item_id": new_id(),
        "facts": [
            {"label": "commune", "value": "Xã Vĩnh Thạnh"},
            {"label": "area", "value": "khoảng 1.230 m²"},
            {"label": "certificate", "value": "cấp năm 2012, số bắt đầu bằng BK"},
        ],
        "challenge": {"kind": "certificate_suffix", "length": 4},
        **changes,
    }


def ask_content(citizen_id: str, *items: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The payload of a first landask."""
    ask = {
        "question_id": new_id(),
        "attempt": 1,
        "purpose": "land_confirmation",
        "remind_after_days": [3, 10, 24],
        "items": list(items) or [item()],
    }
    return {
        "scope": "openid land_confirmation",
        "login_hint": citizen_id,
        "client_notification_token": new_token(),
        "binding_message": new_binding(),
        "requested_expiry": 86_400,
        "ask": ask,
        **changes,
    }


def new_token() -> str:
    """A fresh client_notification_token."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()


@dataclass(frozen=True)
class ErrorAnswer:
    """A plain error of the provider."""

    error: str


@dataclass
class ServiceStub:
    """The service towards one provider."""

    me: Party
    clock: Callable[[], float] = time.time
    journal: Journal = field(default_factory=Journal)
    url: str = ""
    provider_url: str = ""
    pings: list[tuple[str, int]] = field(default_factory=list)
    """`auth_req_id` and the status it got."""
    pinged_with: dict[str, str] = field(default_factory=dict)
    """The token of the last ping of an `auth_req_id`."""
    received: list[Opened] = field(default_factory=list)
    tokens: dict[str, list[str]] = field(default_factory=dict)
    _provider: Party | None = None
    _inbox: Inbox | None = None
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @contextlib.contextmanager
    def running(self, port: int = 0) -> Iterator[ServiceStub]:
        """Listen on loopback."""
        with listening(self._handle, port) as url:
            self.url = url
            yield self

    def meet(self, provider: Party, provider_url: str) -> None:
        """Pin the provider's keys and address."""
        self._provider, self.provider_url = provider, provider_url
        self._inbox = Inbox(self.me, (provider,))

    def caller(self, suite: str) -> Caller:
        """The service as one who posts to the provider."""
        assert self._provider is not None
        return Caller(self.me, self._provider, self.provider_url, suite, self.journal, self.clock)

    def ask(self, suite: str, content: dict[str, Any]) -> dict[str, Any] | ErrorAnswer:
        """POST a landask; the plain JSON answer."""
        _, answer = self.caller(suite).send("/bc-authorize", "landask+jwt", content)
        if answer.status == 400:
            return _plain_error(answer)
        if answer.status != 200 or answer.media_type.partition(";")[0].lower() != "application/json":
            raise UnexpectedError(f"expected 200 application/json, found {answer.status} {answer.media_type}")
        found = strict_json.loads(answer.body)
        schemas.ANSWERS["authorize"](found, "")
        with self._changed:
            self.tokens.setdefault(found["auth_req_id"], []).append(content["client_notification_token"])
        return found

    def fetch(self, suite: str, auth_req_id: str) -> dict[str, Any] | ErrorAnswer:
        """POST a landfetch; the reply's content, or the plain error."""
        caller = self.caller(suite)
        content = {"grant_type": GRANT, "auth_req_id": auth_req_id}
        sealed, answer = caller.send("/token", "landfetch+jwt", content)
        if answer.status == 400:
            return _plain_error(answer)
        return caller.open_answer(sealed, answer, "landreply+jwt").content

    def cancel(self, suite: str, auth_req_id: str, question_id: str, reason: str = "withdrawn") -> dict[str, Any]:
        """POST a landcancel; the receipt."""
        content = {"auth_req_id": auth_req_id, "question_id": question_id, "reason": reason}
        return self.caller(suite).ask("/cancel", "landcancel+jwt", content, "landcancel-receipt+jwt").content

    def wait_for_ping(self, auth_req_id: str, seconds: float = 20) -> None:
        """Wait until the provider pinged with a good token."""
        with self._changed:
            if not self._changed.wait_for(lambda: (auth_req_id, 204) in self.pings, seconds):
                raise AssertionError(f"no good ping within {seconds:g} s")

    def _handle(self, request: Request) -> Response | None:
        if request.path == "/v1/callbacks/vneid":
            return self._callback(request)
        typ = KINDS.get(request.path)
        if typ is None:
            return Response(404)
        if request.headers.get("content-type", "").lower() != CONTENT_TYPE:
            return unacceptable(request)
        assert self._inbox is not None
        try:
            with self._changed:
                opened = self._inbox.open_message(request.body, typ, now=self.clock())
        except Refused:
            return unacceptable(request)
        return self._receive(opened)

    def _receive(self, opened: Opened) -> Response:
        try:
            schemas.check(opened.typ, opened.content)
        except schemas.InvalidError as error:
            return invalid(str(error))
        with self._changed:
            self.received.append(opened)
            self._changed.notify_all()
        return Response(200, CONTENT_TYPE, self._receipt(opened).body)

    def _receipt(self, opened: Opened) -> Sealed:
        if opened.typ == "landrevise+jwt":
            typ, content = "landrevise-receipt+jwt", {"revises": opened.content["revises"]}
        else:
            typ = "landdecl-receipt+jwt"
            content = {"declaration_id": opened.content["declaration_id"], "status": "queued_for_review"}
        return seal(self.me, opened.sender, typ, content, suite=opened.suite, now=self.clock(), re=opened.jti)

    def _callback(self, request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            content = strict_json.loads(request.body)
            schemas.ANSWERS["callback"](content, "")
        except ValueError:
            return Response(401)
        with self._changed:
            # The ping may overtake our own reading of the answer to /bc-authorize.
            self._changed.wait_for(lambda: content["auth_req_id"] in self.tokens, 2)
            known = token in self.tokens.get(content["auth_req_id"], [])
            status = 204 if scheme == "Bearer" and known else 401
            self.pings.append((content["auth_req_id"], status))
            self.pinged_with[content["auth_req_id"]] = token
            self._changed.notify_all()
        return Response(status)


def _plain_error(answer: wire.Answer) -> ErrorAnswer:
    found = strict_json.loads(answer.body)
    if answer.media_type.partition(";")[0].lower() != "application/json" or set(found) != {"error"}:
        raise UnexpectedError(f"expected 400 application/json with error, found {answer.media_type}")
    return ErrorAnswer(str(found["error"]))
