"""The worker: claims what is due, seals and logs it, sends it, and lets what came of it take effect (protocol §5).

Rules
- A message is two transactions: claim, seal and leaf before the first byte leaves; its result after the answer. Many
  messages share each of them.
- One thread works on the database, several send: a slow provider holds up only its own messages.
- A claim holds longer than any exchange with the provider can last, so that no other worker sends the same meanwhile;
  what a killed worker held is sent again afterwards, which is harmless by the business id.
- What the database could not take is offered to it again; only a result that fails by itself is let go, logged, and
  its message is sent again when its claim has ended.
- Time passes here too: about once a second questions whose time is over end.

Example: `Worker(units, own, provider).run(stop)` in a thread; `run_once()` in a test.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Event
from typing import Final, TypeVar

from sqlalchemy import exc

from confirm_api import logs, service
from confirm_api.errors import BusyError, StoreError
from confirm_api.failpoints import reach
from confirm_api.provider import NO_ANSWER, Reader
from confirm_api.service import sending, times
from confirm_api.service.results import Failed, Reply, Result
from confirm_api.service.sending import LANDFETCH, Claimed, Outgoing, Sender
from confirm_api.store.engine import reading
from confirm_api.unit import Unit, Units
from exchange.errors import NoAnswer
from exchange.kinds import KINDS, SEALED_TYPE
from exchange.sealed.keys import Own, Peer
from exchange.transport import Client, HttpAnswer, post

BATCH: Final = 32
"""Messages claimed, or results written, in one transaction."""
MARGIN: Final = 0.75
"""The share of a claim that an exchange may last."""
LONGEST_EXCHANGE_SECONDS: Final = 30.0
TIMES_EVERY_SECONDS: Final = 1.0
RETRY_SECONDS: Final = 1.0
"""After the database failed."""
T = TypeVar("T")
_DATABASE_FAILED = (exc.OperationalError, exc.TimeoutError, exc.InterfaceError, StoreError, BusyError)


@dataclass
class Worker:
    """One worker: a thread of its own on the database, `senders` threads on the network."""

    units: Units
    own: Own
    provider: Peer
    senders: int = 16
    claim_seconds: int = 120
    idle_seconds: float = 0.2
    jitter: Callable[[], float] = random.random
    client: Client | None = None
    _sent: SimpleQueue[Result] = field(default_factory=SimpleQueue)
    _under_way: int = 0
    _timed_at: float = float("-inf")

    def __post_init__(self) -> None:
        """Know the provider's address."""
        assert self.provider.url is not None, "the provider has an address"
        seconds = min(LONGEST_EXCHANGE_SECONDS, self.claim_seconds * MARGIN)
        self._http = self.client or Client(read_seconds=seconds, total_seconds=seconds)
        self._reader = Reader(self.own, self.provider, self.units.clock)
        self._sender = Sender(self.own, self.provider, self.claim_seconds)
        self._url = self.provider.url.rstrip("/")

    # ---- the loop ----

    def run(self, stop: Event) -> None:
        """Work until `stop` is set; what is under way then is waited for and written."""
        with ThreadPoolExecutor(self.senders, "sender") as pool:
            kept: list[Result] = []
            while not stop.is_set():
                kept = self._turn(pool, kept)
            while self._under_way:
                kept += self._arrived(LONGEST_EXCHANGE_SECONDS, self._under_way)
            self._settled(kept)

    def _turn(self, pool: ThreadPoolExecutor, kept: list[Result]) -> list[Result]:
        """Write what has arrived, send what is due, else wait; what could not be written comes back."""
        found = kept + self._arrived(0, BATCH)
        kept = self._settled(found)
        self._pass_time()
        sent = self._dispatch(pool)
        if kept:
            time.sleep(RETRY_SECONDS)
        elif not (sent or found) or self._under_way >= self._most:
            kept = self._arrived(self.idle_seconds, 1)
        return kept

    @property
    def _most(self) -> int:
        """Messages under way at once: enough that no sender waits for a batch to be claimed."""
        return self.senders * 4

    def run_once(self) -> int:
        """One turn without threads: claim, send, settle; how many messages that were."""
        service.retrying(self.units, times.expire)
        claimed = self._claimed(BATCH)
        results: list[Result] = [*claimed.unsent, *(self._exchange(one) for one in claimed.outgoing)]
        self._settle(results)
        return len(results)

    # ---- sending ----

    def _dispatch(self, pool: ThreadPoolExecutor) -> bool:
        """Claim what is due and hand it to the senders."""
        room = min(BATCH, self._most - self._under_way)
        claimed = (self._tried(self._claimed, room) if room > 0 else None) or Claimed()
        for result in claimed.unsent:
            self._under_way += 1
            self._sent.put(result)
        for outgoing in claimed.outgoing:
            self._under_way += 1
            pool.submit(self._deliver, outgoing)
        return bool(claimed.outgoing or claimed.unsent)

    def _deliver(self, outgoing: Outgoing) -> None:
        self._sent.put(self._exchange(outgoing))

    def _claimed(self, most: int) -> Claimed:
        with reading(self.units.engine) as conn:
            if not sending.is_due(conn, self.units.clock()):
                return Claimed()
        return service.retrying(self.units, lambda unit: sending.claim(unit, self._sender, most))

    def _exchange(self, outgoing: Outgoing) -> Result:
        """Send one message and read the answer; on a sender's thread, so nothing may escape."""
        reach("send")
        try:
            answer = self._post(outgoing)
            if outgoing.link.typ == LANDFETCH and answer.status == 200:
                reach("fetch")
            return self._reader.result(outgoing, answer)
        except NoAnswer:
            return Failed(outgoing.link, NO_ANSWER)
        except Exception as error:  # noqa: BLE001 - a fault of ours must not lose the message: it is tried again
            logs.get().error("sending failed", typ=outgoing.link.typ, **logs.of_error(error))
            return Failed(outgoing.link, "fault")

    def _post(self, outgoing: Outgoing) -> HttpAnswer:
        url = self._url + KINDS[outgoing.link.typ].path
        return post(self._http, url, outgoing.sealed.body, content_type=SEALED_TYPE)

    # ---- results ----

    def _arrived(self, seconds: float, most: int) -> list[Result]:
        """What the senders have brought, waiting at most so long for the first."""
        found: list[Result] = []
        try:
            while len(found) < most:
                found.append(self._sent.get(timeout=seconds) if seconds and not found else self._sent.get_nowait())
        except Empty:
            pass
        self._under_way -= len(found)
        return found

    def _settled(self, results: list[Result]) -> list[Result]:
        """Write results; those that the database could not take now."""
        if not results:
            return []
        try:
            self._settle(results)
        except _DATABASE_FAILED as error:
            logs.get().error("results wait", count=len(results), **logs.of_error(error))
            return results
        except Exception as error:  # noqa: BLE001 - one bad result must not hold up the others
            logs.get().error("results failed", count=len(results), **logs.of_error(error))
            return self._one_by_one(results)
        return []

    def _one_by_one(self, results: Sequence[Result]) -> list[Result]:
        kept: list[Result] = []
        for result in results:
            try:
                self._settle([result])
            except _DATABASE_FAILED:
                kept.append(result)
            except Exception as error:  # noqa: BLE001 - its claim ends, and it is sent again
                logs.get().error("result failed", typ=result.link.typ, **logs.of_error(error))
        return kept

    def _settle(self, results: Sequence[Result]) -> None:
        if results:
            service.retrying(self.units, lambda unit: self._take(unit, results))
            _reach_for(results, "settle")

    def _take(self, unit: Unit, results: Sequence[Result]) -> None:
        service.take_results(unit, results, self.jitter)
        _reach_for(results, "store")

    # ---- time ----

    def _pass_time(self) -> None:
        now = time.monotonic()
        if now - self._timed_at >= TIMES_EVERY_SECONDS:
            self._timed_at = now
            self._tried(self._expire, times.MOST)

    def _expire(self, most: int) -> None:
        with reading(self.units.engine) as conn:
            if not times.is_due(conn, self.units.clock()):
                return
        while service.retrying(self.units, times.expire) >= most:
            pass

    @staticmethod
    def _tried(work: Callable[[int], T], most: int) -> T | None:
        """Do it, or tell that the database failed: there will be another turn."""
        try:
            return work(most)
        except Exception as error:  # noqa: BLE001 - the worker goes on, whatever it was
            logs.get().error("worker failed", **logs.of_error(error))
            time.sleep(RETRY_SECONDS)
            return None


def _reach_for(results: Iterable[Result], point: str) -> None:
    if any(isinstance(result, Reply) for result in results):
        reach(point)
