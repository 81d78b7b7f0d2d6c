"""Who loads the service: the engine, the citizens and everybody else's calls, each a process of its own.

Rules
- All of it is real HTTP with sealed messages, with the code the product itself uses: `quychu.circle.channel` for sealed
  calls, `confirm_api.vneid_sim.driver` for the citizens' answers.
- The engine posts as fast as its questions are taken, but never more than `ahead` questions before their outcomes: so
  posting goes on for as long as there is something to measure. With `per_second` it posts by the clock instead.
- A question is done when the feed has given an outcome for each of its items; the time is that of the answer's arrival.
- The seconds of a call are those of the HTTP exchange alone, as the client sees them: sealing before it and opening
  after it are the client's own work.
- Probes have a clock and a thread each, so that a slow one holds up nobody else; their clocks are spread over a period.

Example: `Process(target=engine, args=(load, stop, results))` puts an `EngineTold` into `results`.
"""

from __future__ import annotations

import http.client
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit

from benchmarks.tools import service_people as people
from confirm_api.vneid_sim import driver
from exchange.errors import NoAnswer
from exchange.sealed.keys import JwkSet, KeySet, Own, Peer
from exchange.sealed.seal import seal
from exchange.transport import Client, HttpAnswer, get, post
from quychu.circle.channel import Channel
from quychu.circle.world import World

PAGE = 1_000
COLLECT_EVERY_SECONDS = 0.25
STORED_AFTER_SECONDS = 5.0
"""So long after an answer in the app its revision may come: the service has fetched it by then."""
ACR = "urn:vneid:level:2"


@dataclass(frozen=True)
class Load:
    """What one phase of the benchmark asks."""

    world: World
    suite: str
    first: int
    """Number of the first citizen: no phase asks whom an earlier one asked."""
    questions: int
    batch: int
    ahead: int
    per_second: float | None = None
    after: str | None = None
    """Where the feed is to be read from."""
    probes_per_second: float = 0.0
    silent: int = 0
    """Citizens behind the last question who will be asked and never answer, to be withdrawn."""

    @property
    def asked(self) -> range:
        """The citizens who are asked and answer."""
        return range(self.first, self.first + self.questions)

    @property
    def never_answering(self) -> range:
        """The citizens who are asked and do not."""
        return range(self.first + self.questions, self.first + self.questions + self.silent)


@dataclass(frozen=True)
class Call:
    """One exchange as its client saw it."""

    endpoint: str
    status: int
    """0 where no answer came."""
    at: float
    seconds: float


class TimedClient(Client):
    """A client that notes each exchange; `label` stands for the path where it is given."""

    def __init__(self, label: str | None = None) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self._label = label

    def request(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> HttpAnswer:
        """One exchange, timed."""
        began, status = time.perf_counter(), 0
        try:
            answer = super().request(method, url, body, headers)
            status = answer.status
        finally:
            taken = time.perf_counter() - began
            self.calls.append(Call(self._label or urlsplit(url).path, status, time.time() - taken, taken))
        return answer


def channel(load: Load, party: str, client: Client) -> Channel:
    """The way of a party to the service."""
    own = Own(f"urn:quychu:peer:{party}", KeySet.load(load.world.keys(party)))
    jwks = JwkSet.load(load.world.jwks("service"))
    peer = Peer("service", "service", "urn:quychu:peer:service", jwks, load.suite, load.world.service_url)
    return Channel(own, peer, client, patience_seconds=60.0)


# ---- the engine ----------------------------------------------------------------------------------------------------


@dataclass
class EngineTold:
    """What the engine saw."""

    posted: list[tuple[float, int]] = field(default_factory=list)
    done: list[tuple[float, int]] = field(default_factory=list)
    """When how many questions had all their outcomes; each entry adds to the one before."""
    spans: list[tuple[float, float]] = field(default_factory=list)
    """For each question: when it was posted, and the seconds until its last outcome."""
    states: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    calls: list[Call] = field(default_factory=list)
    after: str | None = None


class _Engine:
    """Posts and collects, each in a thread of its own."""

    def __init__(self, load: Load, stop: Any) -> None:
        self.load, self.stop, self.told = load, stop, EngineTold(after=load.after)
        self.client = TimedClient()
        self._way = channel(load, "engine", self.client)
        self._open: dict[str, int] = {}
        self._posted_at: dict[str, float] = {}
        self._all_posted = Event()

    def work(self) -> EngineTold:
        collector = Thread(target=self._collect, name="collector")
        collector.start()
        try:
            self._post()
        finally:
            self._all_posted.set()
            collector.join()
        self.told.calls = self.client.calls
        return self.told

    def _post(self) -> None:
        began = time.monotonic()
        for number, batch in enumerate(batches(self.load.asked, self.load.batch)):
            self._wait(began, number, len(batch))
            if self.stop.is_set():
                return
            questions = [people.question(citizen) for citizen in batch]
            now = time.time()
            for one in questions:  # before the call: an outcome may come before the receipt
                self._open[one["question_id"]] = len(one["parcels"])
                self._posted_at[one["question_id"]] = now
            content = {"batch_id": people.named("batch", self.load.first, number), "questions": questions}
            receipt = self._way.call("landquestions+jwt", content)
            for refused in receipt["refused"]:
                self.told.refused[refused["why"]] += 1
                self._open.pop(refused["question_id"], None)
            self.told.posted.append((now, len(receipt["accepted"])))

    def _wait(self, began: float, number: int, coming: int) -> None:
        if self.load.per_second is not None:
            time.sleep(max(0.0, began + number * self.load.batch / self.load.per_second - time.monotonic()))
            return
        while len(self._open) + coming > self.load.ahead and not self.stop.is_set():
            time.sleep(0.02)

    def _collect(self) -> None:
        while not self.stop.is_set() and not (self._all_posted.is_set() and not self._open):
            began = time.monotonic()
            while self._page():
                pass
            time.sleep(max(0.0, began + COLLECT_EVERY_SECONDS - time.monotonic()))

    def _page(self) -> bool:
        """One page of the feed; whether it was full."""
        page = self._way.call("landcollect+jwt", {"after": self.told.after, "limit": PAGE})
        self.told.after, now, done = page["next"], time.time(), 0
        for entry in page["answers"]:
            self.told.states[entry["state"]] += 1
            done += self._ended(entry["question_id"], now)
        if done:
            self.told.done.append((now, done))
        return len(page["answers"]) == PAGE

    def _ended(self, question_id: str, now: float) -> bool:
        """Whether this was the last item of a question of ours."""
        left = self._open.get(question_id, 0) - 1
        if left > 0:
            self._open[question_id] = left
        elif left == 0:
            del self._open[question_id]
            began = self._posted_at.pop(question_id)
            self.told.spans.append((began, now - began))
        return left == 0


def engine(load: Load, stop: Any, results: Any) -> None:
    """The process of the engine."""
    results.put(("engine", _Engine(load, stop).work()))


def batches(numbers: range, size: int) -> Iterator[range]:
    """Numbers in their order, `size` at a time.

    >>> list(batches(range(3, 8), 2))
    [range(3, 5), range(5, 7), range(7, 8)]
    """
    return (numbers[start : start + size] for start in range(0, len(numbers), size))


# ---- the citizens --------------------------------------------------------------------------------------------------


def citizens(load: Load, ready: str, stop: Any, answered: Any) -> None:
    """The process of the citizens: everybody answers at once; `answered` hears of some who have."""
    crowd = people.Crowd(load.asked)

    def decide(request: Mapping[str, Any]) -> list[dict[str, Any]] | str | None:
        said = crowd.decide(request)
        if said is not None and load.probes_per_second and not answered.full():
            answered.put_nowait((time.time(), request["auth_req_id"], request["citizen_id"], said))
        return said  # type: ignore[return-value] # a list of dicts is a sequence of mappings

    client = driver.DriverClient.of_ready_file(ready)
    driver.run(client, decide, until=stop.is_set)


# ---- everybody else ------------------------------------------------------------------------------------------------


def probes(load: Load, stop: Any, answered: Any, results: Any) -> None:
    """The process of the other parties: each endpoint is called by its own clock."""
    work = _probes(load, answered)
    period = 1.0 / load.probes_per_second
    threads = [
        Thread(target=_probe, args=(probe, period, period * place / len(work), stop))
        for place, (_, probe) in enumerate(work)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put(("probes", [call for client, _ in work for call in client.calls]))


def _probe(probe: Callable[[int], None], period: float, delay: float, stop: Any) -> None:
    began = time.monotonic() + delay
    for number in itertools.count():
        if stop.wait(max(0.0, began + number * period - time.monotonic())):
            return
        try:
            probe(number)
        except NoAnswer:
            continue  # the client has noted it


def _probes(load: Load, answered: Any) -> list[tuple[TimedClient, Callable[[int], None]]]:
    """What is called, each with a client of its own."""
    sealed: list[tuple[str, Callable[[Load, Channel, Any], Callable[[int], None]]]] = [
        ("engine", _withdrawing),
        ("vneid", _revising),
        ("vneid", _declaring),
        ("police", _proving),
    ]
    found: list[tuple[TimedClient, Callable[[int], None]]] = []
    for party, make in sealed:
        client = TimedClient()
        found.append((client, make(load, channel(load, party, client), answered)))
    for path in ("/.well-known/jwks.json", "/health/live", "/health/ready", "/metrics", "/v1/log/key"):
        client = TimedClient()
        found.append((client, _reading(load, client, path)))
    for name in ("checkpoint", "proof", "consistency", "leaves"):
        client = TimedClient()
        found.append((client, _log_reading(load, client, name)))
    for label, spoil in (("refused at check 2", _cut), ("refused at check 6", _flipped)):
        client = TimedClient(label)
        found.append((client, _refused(load, client, spoil)))
    return found


def _withdrawing(load: Load, way: Channel, _answered: Any) -> Callable[[int], None]:
    """One question at a time, asked before the phase began and never answered."""
    waiting = [people.named("question", number) for number in load.never_answering]

    def withdraw(number: int) -> None:
        ids = waiting[number : number + 1] or waiting[-1:]
        content = {"batch_id": people.named("withdrawal", load.first, number), "question_ids": ids, "reason": "trial"}
        way.call("landwithdraw+jwt", content)

    return withdraw


def _revising(_load: Load, way: Channel, answered: Any) -> Callable[[int], None]:
    """Somebody who has answered takes the first item back."""

    def revise(_number: int) -> None:
        at, auth_req_id, citizen_id, said = answered.get(timeout=30)
        time.sleep(max(0.0, at + STORED_AFTER_SECONDS - time.time()))
        answers = [{**said[0], "verdict": "not_mine", "challenge_response": None}]
        content = {"revises": auth_req_id, "sub": citizen_id, "acr": ACR, "answers": answers}
        way.call("landrevise+jwt", {**content, "answered_at": int(time.time())})

    return revise


def _declaring(load: Load, way: Channel, _answered: Any) -> Callable[[int], None]:
    def declare(number: int) -> None:
        content = {
            "declaration_id": people.named("declaration", load.first, number),
            "sub": people.citizen_id(load.first + number),
            "acr": ACR,
            "certificate_serial": f"CD {number:06}",
            "parcel_address": "thôn 3, xã Thạch Bình",
            "on_behalf_of": None,
            "attachments": [],
        }
        way.call("landdecl+jwt", content)

    return declare


def _proving(load: Load, way: Channel, _answered: Any) -> Callable[[int], None]:
    def prove(number: int) -> None:
        case = {"citizen_id": people.citizen_id(load.first + number), "case_no": f"{load.first}/{number}"}
        way.call("residence+jwt", {**case, "purpose": "residence_registration"})

    return prove


def _reading(load: Load, client: TimedClient, path: str) -> Callable[[int], None]:
    reader = _Reader(client, load.world.service_url)
    return lambda _number: reader.read(path)


class _Reader:
    """GETs on a kept connection: a page of leaves may be longer than a message, which is all that `Client` takes."""

    def __init__(self, notes: TimedClient, url: str) -> None:
        self._notes = notes
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)

    def read(self, path: str) -> None:
        """One exchange, timed."""
        began, at, status = time.perf_counter(), time.time(), 0
        try:
            self._connection.request("GET", path)
            answer = self._connection.getresponse()
            answer.read()
            status = answer.status
        except (OSError, http.client.HTTPException):
            self._connection.close()
        self._notes.calls.append(Call(path.partition("?")[0], status, at, time.perf_counter() - began))


def _log_reading(load: Load, client: TimedClient, name: str) -> Callable[[int], None]:
    """Another place of the log each time; `leaves` asks for as many as it may."""
    reader = _Reader(client, load.world.service_url)
    size = tree_size(get(Client(), f"{load.world.service_url}/v1/log/checkpoint").body)

    def read(number: int) -> None:
        place = number * 7_919 % max(size, 1)
        query = {
            "checkpoint": "",
            "proof": f"?index={place}",
            "consistency": f"?from={place + 1}&to={size}",
            "leaves": f"?from={min(place, max(0, size - PAGE))}&to={min(size, place + PAGE)}",
        }[name]
        reader.read(f"/v1/log/{name}{query}")

    return read


def tree_size(note: bytes) -> int:
    r"""The size in a checkpoint.

    >>> tree_size(b"quychu.local/log\n12\nabc=\n")
    12
    """
    return int(note.split(b"\n")[1])


def _refused(load: Load, client: Client, spoil: Callable[[bytes], bytes]) -> Callable[[int], None]:
    """A message that the service has to refuse."""
    way = channel(load, "engine", client)

    def send(_number: int) -> None:
        content = {"after": None, "limit": 1}
        sealed = seal(content, typ="landcollect+jwt", own=way.own, peer=way.service, now=int(time.time()))
        url = f"{load.world.service_url}/v1/answers"
        post(client, url, spoil(sealed.body), content_type="application/jose")

    return send


def _cut(body: bytes) -> bytes:
    return body.replace(b".", b"", 1)


def _flipped(body: bytes) -> bytes:
    """Another first character of the tag's part."""
    head, dot, tag = body.rpartition(b".")
    return head + dot + (b"A" if tag[:1] != b"A" else b"B") + tag[1:]


# ---- before a phase ------------------------------------------------------------------------------------------------


def post_silent(load: Load) -> None:
    """Ask those who will never answer."""
    with Client() as client:
        way = channel(load, "engine", client)
        for number, batch in enumerate(batches(load.never_answering, 100)):
            questions = [people.question(citizen) for citizen in batch]
            way.call(
                "landquestions+jwt", {"batch_id": people.named("silent", load.first, number), "questions": questions}
            )
