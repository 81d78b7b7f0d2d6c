"""What an operator watches: Prometheus counters of this process, gauges read from the database at the time of asking.

Rules
- Labels are kinds, outcomes, check numbers, routes and states: few, known beforehand, nothing of a person.
- Counters and times are of the process; with several workers they are summed over files in `PROMETHEUS_MULTIPROC_DIR`,
  which `quychu serve` sets before this module is imported.
- Gauges come from one look at the database, kept for `GAUGES_SECONDS`, so that asking often costs nothing.

>>> counted = Metrics()
>>> counted.message("landquestions", "accepted")
>>> b'quychu_messages_total{outcome="accepted",typ="landquestions"} 1.0' in counted.text([])
True
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from threading import Lock

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import Engine, func, select

from confirm_api.audit import log
from confirm_api.store.engine import reading
from confirm_api.store.tables import deliveries, questions

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
GAUGES_SECONDS = 15
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10)
"""Bounds of the histogram: fine around the 50 ms of a refusal and the 250 ms an endpoint may take."""

Gauge = tuple[str, str, list[tuple[dict[str, str], float]]]
"""Name, help, and a value for each set of labels."""


@dataclass
class Metrics:
    """The counters of one service."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        """Register the counters."""
        to = self.registry
        self._messages = Counter("quychu_messages", "Messages by kind and outcome.", ["typ", "outcome"], registry=to)
        self._refusals = Counter("quychu_refusals", "Refused messages by check.", ["typ", "check"], registry=to)
        self._limited = Counter("quychu_limited", "Messages sent away before their turn.", ["status"], registry=to)
        self._seconds = Histogram(
            "quychu_request_seconds", "Seconds of a request.", ["route", "status"], buckets=_SECONDS, registry=to
        )

    def message(self, typ: str, outcome: str) -> None:
        """Count one message."""
        self._messages.labels(typ=typ, outcome=outcome).inc()

    def refused(self, typ: str, check: str) -> None:
        """Count one refusal."""
        self._messages.labels(typ=typ, outcome="refused").inc()
        self._refusals.labels(typ=typ, check=check).inc()

    def limited(self, status: int) -> None:
        """Count one 429 or 503."""
        self._limited.labels(status=str(status)).inc()

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count one request with its time."""
        self._seconds.labels(route=route, status=str(status)).observe(seconds)

    def text(self, gauges: Iterable[Gauge]) -> bytes:
        """Everything in Prometheus' text form."""
        asked = CollectorRegistry()
        asked.register(_Gauges(list(gauges)))
        return generate_latest(self._counters()) + generate_latest(asked)

    def _counters(self) -> CollectorRegistry:
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return self.registry
        summed = CollectorRegistry()
        MultiProcessCollector(summed)  # type: ignore[no-untyped-call] # the library leaves this one untyped
        return summed


@dataclass(eq=False)
class _Gauges(Collector):
    gauges: list[Gauge]

    def collect(self) -> Iterator[Metric]:
        """Turn plain values into metrics."""
        for name, told, values in self.gauges:
            labels = list(values[0][0]) if values else []
            family = GaugeMetricFamily(name, told, labels=labels)
            for labelled, value in values:
                family.add_metric(list(labelled.values()), value)
            yield family


class Watch:
    """The gauges of the database, looked at no more often than every `GAUGES_SECONDS`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = Lock()
        self._seen: list[Gauge] = []
        self._until = 0

    def gauges(self, now: int) -> list[Gauge]:
        """The gauges, at most so old."""
        with self._lock:
            if now >= self._until:
                self._seen = look(self._engine, now)
                self._until = now + GAUGES_SECONDS
            return self._seen


def look(engine: Engine, now: int) -> list[Gauge]:
    """Outbox, questions and log as they are."""
    with reading(engine) as conn:
        outbox = conn.execute(
            select(deliveries.c.state, func.count(), func.min(deliveries.c.created_at))
            .where(deliveries.c.state.in_(("waiting", "dead")))
            .group_by(deliveries.c.state)
        ).all()
        states = conn.execute(select(questions.c.state, func.count()).group_by(questions.c.state)).all()
        waiting, lag, head = log.unnumbered(conn), log.lag_seconds(conn, now), log.latest_checkpoint(conn)
    depth = {state: count for state, count, _ in outbox}
    oldest = next((since for state, _, since in outbox if state == "waiting"), now)
    return [
        ("quychu_outbox_waiting", "Messages that wait to be delivered.", [({}, depth.get("waiting", 0))]),
        ("quychu_outbox_oldest_seconds", "Age of the oldest of them.", [({}, max(0, now - oldest))]),
        ("quychu_dead_letters", "Messages that could not be delivered.", [({}, depth.get("dead", 0))]),
        ("quychu_questions", "Questions by state.", [({"state": state}, count) for state, count in states]),
        ("quychu_log_leaves", "Leaves in the newest checkpoint.", [({}, head.size if head else 0)]),
        ("quychu_log_unnumbered", "Leaves that wait for the sequencer.", [({}, waiting)]),
        ("quychu_log_lag_seconds", "How long the oldest of them has waited.", [({}, lag)]),
    ]
