"""Steady traffic for the kill rounds: the engine and the citizens, and a ledger of what each of them was told.

Rules
- The engine posts, repeats, contradicts, withdraws and collects over HTTP with sealed messages, as `quychu ask` does;
  the citizens answer through the provider's driver API. Neither looks into a database.
- The ledger holds what was acknowledged and nothing else: a receipt that opened, a 200 of the driver. A call without an
  answer is in no list of it, whatever became of it.
- What the ledger finds wrong by itself (a receipt that names a question twice, another answer to the same `after`) is a
  fault at once.
- Every message's SHA-256 is kept as it crossed the wire, so that it can be found in the log.
- `Traffic.paused()` waits until both are between two steps.

Worked example: an item's candidates of rank 1 and 2 are posted in two batches; the first says "mine" with the wrong
last digits, is asked again, says "not mine"; the second is asked and proves it.
"""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from confirm_api.vneid_sim.driver import DECLINE, DriverClient, DriverError
from exchange.errors import NoAnswer
from exchange.ids import new_id
from exchange.sealed.keys import JwkSet, KeySet, Own, Peer
from exchange.transport import Client, HttpAnswer
from quychu.circle.channel import Channel
from quychu.circle.world import World

DAY_SECONDS = 86_400
LONGEST_PAUSE_SECONDS = 0.3
ACCEPTED, DUPLICATE = "accepted", "duplicate"
_CHANGED_AFTER_SECONDS = (6.0, 60.0)
"""A citizen changes an answer no earlier and no later than this after giving it: before it is stored it is refused."""


@dataclass(frozen=True)
class Exchange:
    """One request to the service and what came back, as it crossed the wire."""

    path: str
    request: str
    status: int | None
    answer: str | None


@dataclass
class Ledger:
    """What was acknowledged."""

    questions: dict[str, dict[str, Any]] = field(default_factory=dict)
    """As posted first."""
    receipts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Of a question: `accepted`, `duplicate`, or why it was refused, each time it was posted."""
    withdrawn: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    entries: list[dict[str, Any]] = field(default_factory=list)
    after: str | None = None
    said: dict[str, list[dict[str, Any]] | str] = field(default_factory=dict)
    """By `auth_req_id`: the answers that the provider acknowledged, or DECLINE."""
    revised: list[tuple[str, list[dict[str, Any]]]] = field(default_factory=list)
    declared: dict[str, dict[str, Any]] = field(default_factory=dict)
    exchanges: list[Exchange] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def accepted(self) -> list[str]:
        """The questions that a receipt has taken."""
        return [one for one, said in list(self.receipts.items()) if said[0] in {ACCEPTED, DUPLICATE}]


class Wire(Client):
    """The engine's connection, which notes what crosses it."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(read_seconds=15, total_seconds=20)
        self._ledger = ledger

    def request(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> HttpAnswer:
        """One exchange, noted."""
        path, sent = "/" + url.partition("//")[2].partition("/")[2], hashlib.sha256(body or b"").hexdigest()
        try:
            answer = super().request(method, url, body, headers)
        except NoAnswer:
            self._ledger.exchanges.append(Exchange(path, sent, None, None))
            raise
        heard = hashlib.sha256(answer.body).hexdigest()
        self._ledger.exchanges.append(Exchange(path, sent, answer.status, heard))
        return answer


def channel_of(world: World, ledger: Ledger, suite: str = "vn-p256") -> Channel:
    """The engine's way to the service; it does not wait long, since the service is back soon."""
    own = Own("urn:quychu:peer:engine", KeySet.load(world.keys("engine")))
    service = Peer(
        "service", "service", "urn:quychu:peer:service", JwkSet.load(world.jwks("service")), suite, world.service_url
    )
    return Channel(own, service, Wire(ledger), sleep=lambda seconds: time.sleep(min(seconds, LONGEST_PAUSE_SECONDS)))


# ---- the engine ----------------------------------------------------------------------------------------------------


@dataclass
class Engine:
    """Posts, repeats, contradicts, withdraws, collects."""

    channel: Channel
    ledger: Ledger
    chance: random.Random
    citizens: list[str] = field(default_factory=list)
    _later: list[dict[str, Any]] = field(default_factory=list)

    def step(self) -> None:
        """One thing that an engine does, then what is new."""
        do = self.chance.choices((self.post, self.repeat, self.contradict, self.withdraw), (75, 8, 4, 13))[0]
        do()
        self.collect()

    def post(self) -> None:
        """A few people and places; some of the questions in a later batch, so that a candidate comes late."""
        new = self._group()
        kept = [one for one in new if self.chance.random() < 0.15]
        batch = [one for one in new if one not in kept] + self._later
        self._later = kept
        if self.chance.random() < 0.1:
            batch.append(self._question(self._citizen(), [self._parcel()]) | {"priority": 2})
        if batch:
            self._send(batch)

    def repeat(self) -> None:
        """The same questions once more."""
        if known := self.ledger.accepted():
            again = self.chance.sample(known, min(3, len(known)))
            self._send([self.ledger.questions[one] for one in again])

    def contradict(self) -> None:
        """A known question with other content."""
        if known := self.ledger.accepted():
            one = self.ledger.questions[self.chance.choice(known)]
            self._send([one | {"priority": 0.123}])

    def withdraw(self, ids: list[str] | None = None) -> None:
        """Take some questions back, and one that nobody knows."""
        known = self.ledger.accepted()
        if ids is None:
            ids = [*self.chance.sample(known, min(2, len(known))), new_id()]
        content = {"batch_id": new_id(), "question_ids": ids, "reason": "Thử nghiệm"}
        receipt = self._call("landwithdraw+jwt", content)
        named = [(one, kind) for kind in ("withdrawn", "too_late", "unknown") for one in receipt[kind]]
        self._expect(Counter(one for one, _ in named) == Counter(ids), "a withdrawal's receipt names each id once")
        for one, kind in named:
            self._expect((kind == "unknown") == (one not in self.ledger.questions), f"withdrawal: {kind}")
            if kind != "unknown":
                self.ledger.withdrawn[one].append(kind)

    def collect(self) -> None:
        """All new entries, in pages of any size."""
        while True:
            asked = {"after": self.ledger.after, "limit": self.chance.choice((1, 7, 100, 1000))}
            page = self._call("landcollect+jwt", asked)
            if self.chance.random() < 0.05:
                again = self._call("landcollect+jwt", asked | {"limit": 1000})
                self._expect(
                    again["answers"][: len(page["answers"])] == page["answers"], "the same after, the same entries"
                )
            if not page["answers"]:
                self._expect(page["next"] == (self.ledger.after or "0"), "nothing new, the same next")
                return
            self.ledger.entries += page["answers"]
            self.ledger.after = page["next"]

    def _send(self, batch: list[dict[str, Any]]) -> None:
        ids = [one["question_id"] for one in batch]
        for one in batch:
            self.ledger.questions.setdefault(one["question_id"], one)
        before = len(self.ledger.exchanges)
        receipt = self._call("landquestions+jwt", {"batch_id": new_id(), "questions": batch})
        lost = len(self.ledger.exchanges) - before > 1
        named = [(one, ACCEPTED) for one in receipt["accepted"]] + [(one, DUPLICATE) for one in receipt["duplicates"]]
        named += [(one["question_id"], one["why"]) for one in receipt["refused"]]
        self._expect(Counter(one for one, _ in named) == Counter(ids), "a receipt names each question once")
        for one, said in named:
            known = one in self.ledger.receipts
            self._expect(said != DUPLICATE or known or lost, "a duplicate was posted before")
            self._expect(said != ACCEPTED or not known, "a question is accepted once")
            self.ledger.receipts[one].append(said)

    def _call(self, typ: str, content: dict[str, Any]) -> dict[str, Any]:
        self.ledger.counts[typ.removesuffix("+jwt")] += 1
        return self.channel.call(typ, content)

    def _expect(self, holds: bool, rule: str) -> None:  # noqa: FBT001 - reads as a sentence: expect this rule
        if not holds:
            self.ledger.faults.append(f"engine: {rule}")

    # ---- what is asked ----

    def _group(self) -> list[dict[str, Any]]:
        people = list({self._citizen() for _ in range(self.chance.randint(2, 4))})
        parcels: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for _ in range(self.chance.randint(2, 5)):
            place = self._parcel()
            candidates = self.chance.sample(people, min(len(people), self.chance.choice((1, 1, 2, 2, 3))))
            step = self.chance.choice((0, 1, 1, 1, 2))  # equal ranks, one after the other, ranks that nobody posts
            for number, citizen in enumerate(candidates):
                parcels[citizen].append(place | {"rank": 1 + number * step})
        return [self._question(citizen, places) for citizen, places in parcels.items()]

    def _question(self, citizen: str, parcels: list[dict[str, Any]]) -> dict[str, Any]:
        short = self.chance.random() < 0.08
        return {
            "question_id": new_id(),
            "citizen_id": citizen,
            "parcels": parcels,
            "priority": round(self.chance.random(), 3),
            "expires_in": self.chance.randint(60, 90) if short else DAY_SECONDS * self.chance.randint(1, 30),
        }

    def _citizen(self) -> str:
        """An adult's number; one in four was named before, and soon has had three asks."""
        if self.citizens and self.chance.random() < 0.25:
            return self.chance.choice(self.citizens[-60:])
        year, rest = self.chance.randint(40, 99), self.chance.randint(0, 999_999)
        citizen = f"{self.chance.randint(1, 96):03}{self.chance.randint(0, 1)}{year}{rest:06}"
        self.citizens.append(citizen)
        return citizen

    def _parcel(self) -> dict[str, Any]:
        number = f"{self.chance.randint(0, 999_999):06}"
        serial = self.chance.choice((f"AB {number}", f"CK {number}", f"AO {number}", f"DD{number}", None))
        return {
            "item_id": new_id(),
            "rank": 1,
            "parcel_code": f"{self.chance.randint(1, 99)}/{self.chance.randint(1, 999)}",
            "commune_name": "Xã Cam Lộ",
            "hamlet": self.chance.choice(("Thôn Đông", "Thôn 3", None)),
            "land_use_code": self.chance.choice(("ONT", "LUC", "CLN")),
            "area_m2": self.chance.choice((100, 247.5, None)),
            "certificate_serial": serial,
            "certificate_year": self.chance.choice((2004, 2015, None)),
            "co_owner_name": self.chance.choice(("Trần Thị Hoa", None)),
            "role": self.chance.choice(("owner", "co_owner", None)),
        }


# ---- the citizens --------------------------------------------------------------------------------------------------

VERDICTS = {"met": 38, "wrong": 14, "no_proof": 10, "not_mine": 28, "unsure": 6, "suspected_fraud": 4}


@dataclass
class Citizens:
    """All citizens, each with the app in their hands."""

    driver: DriverClient
    ledger: Ledger
    chance: random.Random
    _waiting: dict[str, tuple[float, dict[str, Any]]] = field(default_factory=dict)
    """Requests seen and not answered: when they will be."""
    _answered: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)

    def step(self) -> None:
        """Look what is new, answer what is due, sometimes change an answer or declare a certificate."""
        now = time.monotonic()
        for request in self.driver.open_requests():
            self._waiting[request["auth_req_id"]] = (now + self._patience(), request)
        self._answer(now)
        if self.chance.random() < 0.08:
            self._revise(now)
        if self.chance.random() < 0.12:
            self._declare()

    def finish(self) -> int:
        """Say "not mine" to whatever is open; how many requests that were."""
        self.driver.after = 0
        try:
            requests = self.driver.open_requests()
        except DriverError:  # the kept connection lay idle and was closed
            requests = self.driver.open_requests()
        calls = [
            {
                "auth_req_id": request["auth_req_id"],
                "answers": [{"item_id": item["item_id"], "verdict": "not_mine"} for item in request["items"]],
            }
            for request in requests
        ]
        for call, result in zip(calls, self.driver.answer(calls), strict=True):
            if result == "ok":
                self.ledger.said[call["auth_req_id"]] = call["answers"]
        return len(requests)

    def _patience(self) -> float:
        """Most answer within two seconds, some never."""
        return float("inf") if self.chance.random() < 0.06 else self.chance.uniform(0, 2)

    def _answer(self, now: float) -> None:
        due = [request for at, request in self._waiting.values() if at <= now][:50]
        calls: list[dict[str, Any]] = [
            {"auth_req_id": request["auth_req_id"], **self._decided(request)} for request in due
        ]
        if not calls:
            return
        results = self.driver.answer(calls)
        for request, call, result in zip(due, calls, results, strict=True):
            del self._waiting[request["auth_req_id"]]
            if result == "ok":
                self.ledger.said[request["auth_req_id"]] = DECLINE if "decline" in call else call["answers"]
                self._answered.append((now, request["auth_req_id"], request))
            elif result != "not-open":
                self.ledger.faults.append(f"driver: an answer was refused: {result}")

    def _decided(self, request: Mapping[str, Any]) -> dict[str, Any]:
        if self.chance.random() < 0.05:
            return {"decline": True}
        return {"answers": [self._one(request, item) for item in request["items"]]}

    def _one(self, request: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
        kind = self.chance.choices(list(VERDICTS), list(VERDICTS.values()))[0]
        if request["attempt"] > 1 and self.chance.random() < 0.4:
            kind = "wrong"
        proof = self._proof(request, item, kind)
        told = {"item_id": item["item_id"], "verdict": "mine" if kind in {"met", "wrong", "no_proof"} else kind}
        corrections = [{"field": "address", "value": "Thôn Đông"}] if self.chance.random() < 0.05 else []
        return told | {"challenge_response": proof, "corrections": corrections}

    def _proof(self, request: Mapping[str, Any], item: Mapping[str, Any], kind: str) -> str | None:
        question = self.ledger.questions[request["question_id"]]
        serial = next(one["certificate_serial"] for one in question["parcels"] if one["item_id"] == item["item_id"])
        if serial is None or kind not in {"met", "wrong"}:
            return None
        right = str(serial)[-4:]
        if kind == "met":
            return right.replace("0", self.chance.choice("0O")).replace("1", self.chance.choice("1I"))
        return f"{(int(right) + self.chance.randint(1, 9_998)) % 10_000:04}"

    def _revise(self, now: float) -> None:
        first, last = _CHANGED_AFTER_SECONDS
        old = [one for one in self._answered if now - one[0] > first]
        ready = [one for one in old if self.ledger.said[one[1]] != DECLINE]
        self._answered = [one for one in self._answered if now - one[0] < last]
        if not ready:
            return
        _, auth_req_id, request = self.chance.choice(ready)
        items = self.chance.sample(request["items"], self.chance.randint(1, len(request["items"])))
        answers = [self._one(request, item) for item in items]
        result = self.driver.call("revise", [{"auth_req_id": auth_req_id, "answers": answers}])["results"][0]
        if result == "ok":
            self.ledger.revised.append((auth_req_id, answers))
        else:
            self.ledger.faults.append(f"driver: a change was refused: {result}")

    def _declare(self) -> None:
        content = {
            "citizen_id": f"0010{self.chance.randint(40, 99)}{self.chance.randint(0, 999_999):06}",
            "certificate_serial": f"AB {self.chance.randint(0, 999_999):06}",
            "parcel_address": self.chance.choice(("Thôn Đông, Xã Cam Lộ", None)),
            "on_behalf_of": self.chance.choice(({"name": "Trần Thị Hoa", "reason": "Mẹ tôi"}, None)),
        }
        declaration_id = self.driver.call("declare", [content])["results"][0]
        self.ledger.declared[declaration_id] = content


# ---- both ----------------------------------------------------------------------------------------------------------


class Traffic:
    """Both at work, each in a thread of its own."""

    def __init__(self, engine: Engine, citizens: Citizens, *, pause_seconds: float) -> None:
        self.engine, self.citizens, self.ledger = engine, citizens, engine.ledger
        self._pause_seconds = pause_seconds
        self._over = threading.Event()
        self._turns = [threading.Lock(), threading.Lock()]
        self._threads = [
            threading.Thread(target=self._work, args=(do, turn, pause), daemon=True)
            for do, turn, pause in zip(
                (engine.step, self._citizens_step), self._turns, (pause_seconds, 0.1), strict=True
            )
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Neither is in the middle of anything."""
        for turn in self._turns:
            turn.acquire()
        try:
            yield
        finally:
            for turn in self._turns:
                turn.release()

    def end(self) -> None:
        """No step after the one that is under way."""
        self._over.set()

    def close(self) -> None:
        """End both threads."""
        self.end()
        for thread in self._threads:
            thread.join(60)

    def _citizens_step(self) -> None:
        try:
            self.citizens.step()
        except DriverError:
            time.sleep(0.05)  # the provider is down: nobody knows whether that call had its effect

    def _work(self, do: Any, turn: threading.Lock, pause_seconds: float) -> None:
        while not self._over.is_set():
            try:
                with turn:
                    if not self._over.is_set():
                        do()
            except Exception as error:  # noqa: BLE001 - told with the violations; the traffic goes on
                self.ledger.faults.append(f"traffic: {type(error).__name__}: {error}")
            time.sleep(pause_seconds)
