"""A whole service in one process and in memory, to prove the scenarios before they judge the real one.

Rules
- It keeps section 3 and 4 as the page says, and nothing beyond: no storage, no officers, no register of citizens.
- One lock, one thread that delivers, polls, cancels and expires; each tick asks every question what is due.
- An item of a question is `open` until it has one of the states of landanswers.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import rfc8785

from tests.interop.second import schemas, strict_json, wire
from tests.interop.second.caller import Caller
from tests.interop.second.envelope import CONTENT_TYPE, Inbox, Opened, Party, Refused, Sealed, new_id, seal
from tests.interop.second.log_writer import LogWriter, commitment
from tests.interop.second.server import Request, Response, invalid, listening, unacceptable
from tests.interop.second.service import GRANT, item, new_binding, new_token

KINDS: Final = {
    "/v1/questions": "landquestions+jwt",
    "/v1/questions/withdraw": "landwithdraw+jwt",
    "/v1/answers": "landcollect+jwt",
    "/v1/revisions": "landrevise+jwt",
    "/v1/declarations": "landdecl+jwt",
    "/v1/residence-proofs": "residence+jwt",
}
RELEASING: Final = {"declined", "expired", "undeliverable", "withdrawn"}
TICK_SECONDS: Final = 0.05
NO_REPLY: Final = {"verdict": None, "proven": False, "evidence_level": "none", "answered_at": None}


@dataclass
class Item:
    """A parcel of a question."""

    parcel: dict[str, Any]
    entry: dict[str, Any] | None = None
    wrong: int = 0

    @property
    def is_released(self) -> bool:
        """Whether the next candidate may be asked."""
        if self.entry is None:
            return False
        return self.entry["state"] in RELEASING or (self.entry["state"], self.entry["verdict"]) == (
            "settled",
            "not_mine",
        )

    @property
    def length(self) -> int:
        """Of the challenge."""
        return 4 if len(_plain(self.parcel["certificate_serial"] or "")) >= 4 else 0

    def is_met_by(self, response: str | None) -> bool:
        """Whether the challenge was met."""
        return self.length > 0 and _plain(response or "") == _plain(self.parcel["certificate_serial"])[-4:]


@dataclass
class Attempt:
    """One landask and what follows."""

    number: int
    items: list[str]
    due: float
    ask: dict[str, Any]
    auth_req_id: str | None = None
    expires_at: float = 0
    interval: float = 1
    tries: int = 0
    cancel: str | None = None
    cancel_due: float = 0
    tokens: set[str] = field(default_factory=set)
    jtis: set[str] = field(default_factory=set)
    reply: dict[str, Any] | None = None
    is_over: bool = False


@dataclass
class Question:
    """A question on its way."""

    content: dict[str, Any]
    order: int
    expires_at: float
    items: dict[str, Item]
    binding: str
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Its `question_id`."""
        return str(self.content["question_id"])

    @property
    def is_ended(self) -> bool:
        """Whether all items have ended."""
        return all(entry.entry is not None for entry in self.items.values())

    @property
    def open_attempt(self) -> Attempt | None:
        """The attempt that is not over."""
        return self.attempts[-1] if self.attempts and not self.attempts[-1].is_over else None


def _plain(text: str) -> str:
    return "".join(text.split()).upper().replace("O", "0").replace("I", "1")


def _canonical(content: dict[str, Any]) -> bytes:
    return rfc8785.dumps(content)


def _level(acr: str) -> int:
    return int(acr.rpartition(":")[2])


@dataclass
class SmallService:
    """The service; `meet` its peers, then run it."""

    me: Party
    suite: str
    clock: Callable[[], float] = time.time
    log: LogWriter = field(default_factory=lambda: LogWriter("quychu.local/log"))
    url: str = ""
    questions: dict[str, Question] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)
    known: dict[tuple[str, str], tuple[bytes, dict[str, Any]]] = field(default_factory=dict)
    _inbox: Inbox | None = None
    _idp: tuple[Party, str] | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def meet(self, peers: tuple[Party, ...], idp_url: str) -> None:
        """Pin the peers."""
        self._inbox = Inbox(self.me, peers)
        self._idp = (next(peer for peer in peers if peer.role == "vneid"), idp_url)

    @contextlib.contextmanager
    def running(self) -> Iterator[SmallService]:
        """Listen, and tick."""
        stop = threading.Event()
        thread = threading.Thread(target=self._run, args=(stop,), daemon=True)
        with listening(self._handle) as self.url:
            thread.start()
            yield self
            stop.set()
            thread.join()

    def _run(self, stop: threading.Event) -> None:
        while not stop.wait(TICK_SECONDS):
            for question in list(self.questions.values()):
                with self._lock:
                    self._tick(question, self.clock())

    # What comes in

    def _handle(self, request: Request) -> Response | None:
        if request.path.startswith("/v1/log/") or request.path.startswith("/.well-known/"):
            with self._lock:
                return self._read(request.path)
        if request.path == "/v1/callbacks/vneid":
            with self._lock:
                return Response(204 if self._pinged(request) else 401)
        if request.path not in KINDS:
            return Response(404)
        return self._message(request, KINDS[request.path])

    def _message(self, request: Request, typ: str) -> Response:
        leaf = {"event": typ.removesuffix("+jwt"), "sealed": hashlib.sha256(request.body).hexdigest()}
        refused: str | None = None
        with self._lock:
            assert self._inbox is not None
            try:
                opened = self._open(request, typ)
            except Refused as error:
                refused = str(error.check)
                self.log.add(**leaf, outcome="refused", reason=refused)
        if refused is not None:
            return unacceptable(request)
        leaf |= {"commit": commitment(opened.inner), "from_kid": opened.sender_kid, "to_kid": opened.recipient_kid}
        with self._lock:
            try:
                schemas_check(typ, opened.content)
                answer_typ, content = self._answer(typ, opened.content)
            except schemas.InvalidError as error:
                self.log.add(**leaf, outcome="refused", reason="15")
                return invalid(str(error))
            self.log.add(**leaf, outcome="accepted")
            return self._sealed(opened, answer_typ, content)

    def _open(self, request: Request, typ: str) -> Opened:
        if request.headers.get("content-type", "").lower() != CONTENT_TYPE or "content-encoding" in request.headers:
            raise Refused(0, "content type")
        assert self._inbox is not None
        return self._inbox.open_message(request.body, typ, now=self.clock())

    def _sealed(self, opened: Opened, typ: str, content: dict[str, Any]) -> Response:
        answer = seal(self.me, opened.sender, typ, content, suite=opened.suite, now=self.clock(), re=opened.jti)
        self._log_sent(typ, answer)
        return Response(200, CONTENT_TYPE, answer.body)

    def _log_sent(self, typ: str, sealed: Sealed, subject: str | None = None) -> None:
        kids = {"from_kid": sealed.sender_kid, "to_kid": sealed.recipient_kid}
        event, commit = typ.removesuffix("+jwt"), commitment(sealed.inner)
        self.log.add(event=event, outcome="sent", sealed=sealed.sha256, commit=commit, subject=subject, **kids)

    def _answer(self, typ: str, content: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        answering = {
            "landquestions+jwt": ("landquestions-receipt+jwt", self._questions),
            "landwithdraw+jwt": ("landwithdraw-receipt+jwt", self._withdraw),
            "landcollect+jwt": ("landanswers+jwt", self._collect),
            "landrevise+jwt": ("landrevise-receipt+jwt", self._revise),
            "landdecl+jwt": ("landdecl-receipt+jwt", self._declare),
            "residence+jwt": ("residence-reply+jwt", self._residence),
        }
        answer_typ, answer = answering[typ]
        return answer_typ, answer(content)

    def _once(
        self, kind: str, name: str, content: dict[str, Any], answer: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        """The same id with the same content has one effect and one answer; with other content it is 422."""
        found = self.known.get((kind, name))
        if found is None:
            found = self.known[kind, name] = (_canonical(content), answer())
        elif found[0] != _canonical(content):
            raise schemas.InvalidError(f"{kind}: this id is known with other content")
        return found[1]

    def _questions(self, content: dict[str, Any]) -> dict[str, Any]:
        ids = [question["question_id"] for question in content["questions"]]
        if len(set(ids)) != len(ids):
            raise schemas.InvalidError("questions: a question_id stands twice")
        receipt: dict[str, Any] = {"batch_id": content["batch_id"], "accepted": [], "duplicates": [], "refused": []}
        for question in content["questions"]:
            verdict = self._accept(question)
            if verdict in {"accepted", "duplicates"}:
                receipt[verdict].append(question["question_id"])
            else:
                receipt["refused"].append({"question_id": question["question_id"], "why": verdict})
        return receipt

    def _accept(self, content: dict[str, Any]) -> str:
        known = self.questions.get(content["question_id"])
        if known is not None:
            return "duplicates" if _canonical(known.content) == _canonical(content) else "conflict"
        items = {parcel["item_id"]: Item(parcel) for parcel in content["parcels"]}
        try:
            schemas.QUESTION(content, "")
        except schemas.InvalidError:
            return "invalid"
        if len(items) != len(content["parcels"]):
            return "invalid"
        if sum(q.content["citizen_id"] == content["citizen_id"] for q in self.questions.values()) >= 3:
            return "too_many_asks"
        expires_at = self.clock() + content["expires_in"]
        question = Question(content, len(self.questions), expires_at, items, new_binding())
        self.questions[question.id] = question
        return "accepted"

    def _withdraw(self, content: dict[str, Any]) -> dict[str, Any]:
        return self._once("batch_id", content["batch_id"], content, lambda: self._withdrawn(content))

    def _withdrawn(self, content: dict[str, Any]) -> dict[str, Any]:
        receipt: dict[str, Any] = {"batch_id": content["batch_id"], "withdrawn": [], "too_late": [], "unknown": []}
        for question_id in content["question_ids"]:
            receipt[self._withdraw_one(self.questions.get(question_id))].append(question_id)
        return receipt

    def _withdraw_one(self, question: Question | None) -> str:
        if question is None:
            return "unknown"
        states = {entry.entry["state"] for entry in question.items.values() if entry.entry is not None}
        if states - {"withdrawn"}:
            return "too_late"
        self._end_open_items(question, "withdrawn")
        return "withdrawn"

    def _collect(self, content: dict[str, Any]) -> dict[str, Any]:
        start = int(content["after"] or 0)
        found = self.entries[start : start + content["limit"]]
        return {"answers": found, "next": str(start + len(found))}

    def _revise(self, content: dict[str, Any]) -> dict[str, Any]:
        question, attempt = self._attempt(content["revises"])
        fits = attempt is not None and attempt.reply is not None and _level(content["acr"]) >= 2
        if question is None or attempt is None or not fits or content["sub"] != question.content["citizen_id"]:
            raise schemas.InvalidError("revises: expected an answered request of this citizen")
        if not {answer["item_id"] for answer in content["answers"]} <= set(attempt.items):
            raise schemas.InvalidError("answers: expected asked items")
        name = f"{content['revises']} {content['answered_at']}"
        return self._once("revises", name, content, lambda: self._revised(question, content))

    def _revised(self, question: Question, content: dict[str, Any]) -> dict[str, Any]:
        for answer in content["answers"]:
            self._end(question, answer["item_id"], "office", answer, content["answered_at"], "tap")
        return {"revises": content["revises"]}

    def _declare(self, content: dict[str, Any]) -> dict[str, Any]:
        receipt = {"declaration_id": content["declaration_id"], "status": "queued_for_review"}
        return self._once("declaration_id", content["declaration_id"], content, lambda: receipt)

    def _residence(self, content: dict[str, Any]) -> dict[str, Any]:
        self._once("case_no", content["case_no"], content, dict)
        found = [
            {name: one.parcel[name] for name in ("parcel_code", "certificate_serial", "role")} | {"address": None}
            for question in self.questions.values()
            for one in question.items.values()
            if question.content["citizen_id"] == content["citizen_id"]
            and one.entry is not None
            and (one.entry["state"], one.entry["proven"]) == ("settled", True)
        ]
        return {
            "citizen_id": content["citizen_id"],
            "case_no": content["case_no"],
            "has_residential_parcel": bool(found),
            "parcels": found,
            "as_of": "2026-11-22",
        }

    def _attempt(self, auth_req_id: str) -> tuple[Question | None, Attempt | None]:
        for question in self.questions.values():
            for attempt in question.attempts:
                if attempt.auth_req_id == auth_req_id:
                    return question, attempt
        return None, None

    def _pinged(self, request: Request) -> bool:
        try:
            content = strict_json.loads(request.body)
            schemas.ANSWERS["callback"](content, "")
        except ValueError:
            return False
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        question, attempt = self._attempt(content["auth_req_id"])
        is_json = request.headers.get("content-type", "") == "application/json"
        if question is None or attempt is None or not is_json or scheme != "Bearer" or token not in attempt.tokens:
            return False
        attempt.due = 0
        self.log.add(event="callback", outcome="accepted")
        return True

    # What goes out

    def _tick(self, question: Question, now: float) -> None:
        self._follow_ranks(question)
        if not question.is_ended and now >= question.expires_at:
            self._end_open_items(question, "expired")
        attempt = question.open_attempt
        if attempt is None and not question.is_ended:
            attempt = self._next_attempt(question, now)
        if attempt is not None and attempt.cancel is None and now >= attempt.due:
            self._deliver(question, attempt, now) if attempt.auth_req_id is None else self._poll(question, attempt, now)
        for old in question.attempts:
            if old.cancel is not None and now >= old.cancel_due:
                self._cancel(question, old, now)

    def _before(self, question: Question, item_id: str) -> list[Item]:
        """The candidates for an item who come first."""
        mine = (question.items[item_id].parcel["rank"], question.order)
        others = [q for q in self.questions.values() if item_id in q.items and q is not question]
        return [q.items[item_id] for q in others if (q.items[item_id].parcel["rank"], q.order) < mine]

    def _follow_ranks(self, question: Question) -> None:
        asked = question.open_attempt
        for item_id, one in question.items.items():
            if one.entry is None and (asked is None or item_id not in asked.items):
                before = self._before(question, item_id)
                if any(b.entry is not None and not b.is_released for b in before):
                    self._end(question, item_id, "withdrawn")

    def _next_attempt(self, question: Question, now: float) -> Attempt | None:
        others = [q for q in self.questions.values() if q.content["citizen_id"] == question.content["citizen_id"]]
        if any(q is not question and not q.is_ended and (q.attempts or q.order < question.order) for q in others):
            return None
        free = [
            item_id
            for item_id, one in question.items.items()
            if one.entry is None and all(before.is_released for before in self._before(question, item_id))
        ]
        if not free:
            return None
        number = len(question.attempts) + 1
        ask = {
            "question_id": question.id,
            "attempt": number,
            "purpose": "land_confirmation",
            "remind_after_days": [3, 10, 24],
            "items": [_shown(question.items[item_id]) for item_id in free],
        }
        attempt = Attempt(number, free, now, ask)
        question.attempts.append(attempt)
        return attempt

    def _caller(self) -> Caller:
        assert self._idp is not None
        return Caller(self.me, self._idp[0], self._idp[1], self.suite, clock=self.clock)

    def _post(self, path: str, typ: str, content: dict[str, Any], subject: str) -> tuple[Sealed, wire.Answer | None]:
        sealed = self._caller().seal(typ, content)
        self._log_sent(typ, sealed, subject)
        try:
            headers = {"Content-Type": CONTENT_TYPE}
            return sealed, wire.request("POST", self._caller().url + path, sealed.body, headers)
        except (OSError, http.client.HTTPException):
            return sealed, None

    def _deliver(self, question: Question, attempt: Attempt, now: float) -> None:
        token = new_token()
        attempt.tokens.add(token)
        content = {
            "scope": "openid land_confirmation",
            "login_hint": question.content["citizen_id"],
            "client_notification_token": token,
            "binding_message": question.binding,
            "requested_expiry": int(question.expires_at - now),
            "ask": attempt.ask,
        }
        sealed, answer = self._post("/bc-authorize", "landask+jwt", content, _subject(question))
        attempt.jtis.add(sealed.jti)
        attempt.tries += 1
        if answer is None or answer.status in {429, 500, 503} or not self._take(attempt, answer):
            named = answer.headers.get("retry-after") if answer is not None else None
            attempt.due = now + (int(named) if named else random.uniform(0, 5))
        elif answer.status != 200:
            attempt.is_over = True
            self._end_open_items(question, "undeliverable")

    def _take(self, attempt: Attempt, answer: wire.Answer) -> bool:
        """Whether the answer to the ask is one at all."""
        if answer.status != 200:
            return True
        try:
            found = strict_json.loads(answer.body)
            schemas.ANSWERS["authorize"](found, "")
        except ValueError:
            return False
        now = self.clock()
        attempt.auth_req_id, attempt.interval = found["auth_req_id"], found["interval"]
        attempt.expires_at, attempt.due = now + found["expires_in"], now + found["interval"]
        return True

    def _poll(self, question: Question, attempt: Attempt, now: float) -> None:
        attempt.due = now + attempt.interval
        content = {"grant_type": GRANT, "auth_req_id": attempt.auth_req_id}
        sealed, answer = self._post("/token", "landfetch+jwt", content, _subject(question))
        if answer is None:
            return
        if answer.status == 400:
            self._steer(question, attempt, answer, now)
            return
        leaf = {"sealed": hashlib.sha256(answer.body).hexdigest(), "subject": _subject(question)}
        try:
            opened = self._caller().open_answer(sealed, answer, "landreply+jwt")
            _check_reply(question, attempt, opened.content)
        except (ValueError, AssertionError):
            self.log.add(event="landreply", outcome="refused", reason="reply", **leaf)
            return
        kids = {"from_kid": opened.sender_kid, "to_kid": opened.recipient_kid, "commit": commitment(opened.inner)}
        self.log.add(event="landreply", outcome="accepted", **leaf, **kids)
        attempt.reply, attempt.is_over = opened.content, True
        self._apply(question, opened.content)

    def _steer(self, question: Question, attempt: Attempt, answer: wire.Answer, now: float) -> None:
        error = json.loads(answer.body).get("error")
        if error == "access_denied":
            attempt.is_over = True
            self._end_open_items(question, "declined", only=attempt.items)
        elif error == "slow_down":
            attempt.interval += 5
            attempt.due = now + attempt.interval
        elif error == "expired_token" and now >= attempt.expires_at:
            attempt.is_over = True

    def _apply(self, question: Question, reply: dict[str, Any]) -> None:
        is_frozen = any(answer["verdict"] == "suspected_fraud" for answer in reply["answers"])
        for answer in reply["answers"]:
            one = question.items[answer["item_id"]]
            met = one.is_met_by(answer["challenge_response"])
            level = "challenge" if met else "tap"
            state: str | None
            if is_frozen:
                state = "office"
            elif answer["verdict"] == "mine" and answer["challenge_response"] is not None and not met:
                one.wrong += 1
                state = "office" if one.wrong >= 3 else None
            else:
                settles = answer["verdict"] == "not_mine" or (answer["verdict"] == "mine" and met)
                state = "settled" if settles else "office"
            if state is not None:
                self._settle(question, answer, state, reply["answered_at"], level)

    def _settle(self, question: Question, answer: dict[str, Any], state: str, at: int, level: str) -> None:
        item_id = answer["item_id"]
        others = [q for q in self.questions.values() if q is not question and item_id in q.items]
        rivals = [(q, q.items[item_id].entry) for q in others]
        proven = [(q, entry) for q, entry in rivals if entry is not None and entry["proven"]]
        is_disputed = bool(proven) and level == "challenge"
        self._end(question, item_id, "disputed" if is_disputed else state, answer, at, level)
        for rival, entry in proven if is_disputed else []:
            self._end(rival, item_id, "disputed", entry, entry["answered_at"], entry["evidence_level"])

    def _cancel(self, question: Question, attempt: Attempt, now: float) -> None:
        content = {"auth_req_id": attempt.auth_req_id, "question_id": question.id, "reason": attempt.cancel}
        sealed, answer = self._post("/cancel", "landcancel+jwt", content, _subject(question))
        try:
            assert answer is not None
            opened = self._caller().open_answer(sealed, answer, "landcancel-receipt+jwt")
        except (ValueError, AssertionError):
            attempt.cancel_due = now + 1
            return
        kids = {"from_kid": opened.sender_kid, "to_kid": opened.recipient_kid}
        sealed_hash = hashlib.sha256(answer.body).hexdigest()
        self.log.add(event="landcancel-receipt", outcome="accepted", sealed=sealed_hash, **kids)
        attempt.cancel = None

    def _end_open_items(self, question: Question, state: str, only: list[str] | None = None) -> None:
        attempt = question.open_attempt
        if attempt is not None:
            attempt.is_over = True
            if attempt.auth_req_id is not None and state in {"withdrawn", "expired"}:
                attempt.cancel, attempt.cancel_due = state, 0
        for item_id, one in question.items.items():
            if one.entry is None and (only is None or item_id in only):
                self._end(question, item_id, state)

    def _end(
        self,
        question: Question,
        item_id: str,
        state: str,
        answer: dict[str, Any] | None = None,
        answered_at: int | None = None,
        level: str = "none",
    ) -> None:
        said = answer["verdict"] if answer is not None else None
        entry = {
            "question_id": question.id,
            "item_id": item_id,
            "citizen_id": question.content["citizen_id"],
            "state": state,
            "verdict": said,
            "proven": said == "mine" and level == "challenge",
            "evidence_level": level,
            "answered_at": answered_at,
        }
        question.items[item_id].entry = entry
        self.entries.append(entry)
        self.log.add(event="state", outcome="accepted", subject=_subject(question), reason=state)

    # What anybody may read

    def _read(self, target: str) -> Response:
        place = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(place.query).items()}
        if place.path == "/.well-known/jwks.json":
            return Response(200, "application/jwk-set+json", json.dumps(self.me.keys.public()).encode())
        texts: dict[str, Callable[[], str]] = {
            "/v1/log/key": lambda: self.log.key() + "\n",
            "/v1/log/checkpoint": self.log.checkpoint,
            "/v1/log/proof": lambda: self.log.proof(self._index(query)),
        }
        try:
            if place.path in texts:
                return Response(200, "text/plain; charset=utf-8", texts[place.path]().encode())
            first, last = int(query["from"]), int(query["to"])
            if last > len(self.log.leaves):
                return Response(404)
            if place.path == "/v1/log/leaves":
                lines = b"".join(leaf + b"\n" for leaf in self.log.leaves[first:last])
                return Response(200, "application/jsonl", lines)
            return Response(200, "application/json", json.dumps(self.log.consistency(first, last)).encode())
        except (LookupError, ValueError):
            return Response(404)

    def _index(self, query: dict[str, str]) -> int:
        return int(query["index"]) if "index" in query else self.log.by_sealed[query["sealed"]]


def schemas_check(typ: str, content: dict[str, Any]) -> None:
    """Check (15); a question out of range is for its receipt, one of a wrong type for the batch."""
    if typ == "landquestions+jwt":
        schemas.LOOSE_QUESTIONS(content, "")
    else:
        schemas.check(typ, content)


def _subject(question: Question) -> str:
    return hashlib.sha256(question.id.encode()).hexdigest()


def _shown(one: Item) -> dict[str, Any]:
    parcel = one.parcel
    kind = "certificate_suffix" if one.length else "none"
    facts = {
        "commune": parcel["commune_name"],
        "area": None if parcel["area_m2"] is None else f"{round(parcel['area_m2'], -1):.0f} m²",
        "certificate": f"{parcel['certificate_year']}, {(parcel['certificate_serial'] or '')[:2]}",
    }
    told = [{"label": label, "value": value} for label, value in facts.items() if value is not None]
    return item(item_id=parcel["item_id"], facts=told, challenge={"kind": kind, "length": one.length})


def _check_reply(question: Question, attempt: Attempt, reply: dict[str, Any]) -> None:
    expected = (attempt.auth_req_id, question.id, attempt.number, question.content["citizen_id"])
    found = (reply["auth_req_id"], reply["question_id"], reply["attempt"], reply["sub"])
    if found != expected or reply["ask_jti"] not in attempt.jtis or _level(reply["acr"]) < 2:
        raise schemas.InvalidError("reply: expected the names of this request")
    if sorted(answer["item_id"] for answer in reply["answers"]) != sorted(attempt.items):
        raise schemas.InvalidError("answers: expected every asked item once")
    for answer in reply["answers"]:
        may_respond = answer["verdict"] == "mine" and question.items[answer["item_id"]].length
        if answer["challenge_response"] is not None and not may_respond:
            raise schemas.InvalidError("challenge_response: expected null")


def new_service(suite: str, keys: Any) -> SmallService:
    """A service of the default name."""
    return SmallService(Party("urn:quychu:peer:service", "service", keys), suite)


__all__ = ["SmallService", "new_id", "new_service"]
