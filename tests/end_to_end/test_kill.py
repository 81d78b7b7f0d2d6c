"""kill -9 in small: every kind of death once on each database; and the checker itself, which has to see what is wrong.

Two hundred rounds on each database are a benchmark (`benchmarks/kill.py`); these few show that it works, and that
nothing is lost at any of the failpoints.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from copy import copy
from typing import Any

import pytest

from benchmarks.kill import Trial, report, trial
from benchmarks.tools.kill_checks import check
from benchmarks.tools.kill_records import ProviderRow, Records
from benchmarks.tools.kill_servers import SHARES, SHARES_OF_TWO, plan
from benchmarks.tools.kill_traffic import Ledger
from confirm_api.failpoints import POINTS

ROUNDS = 13


def lived(database: str, folder: Any, services: int) -> Iterator[Trial]:
    with trial(database, folder, 7, services=services, pause_seconds=0.1, say=print) as one:
        one.run(ROUNDS, random.Random(7), check_every=ROUNDS)
        yield one


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    yield from lived("sqlite", tmp_path_factory.mktemp("kill") / "sqlite", services=1)


@pytest.fixture(scope="module")
def on_postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    yield from lived("postgresql", tmp_path_factory.mktemp("kill") / "postgresql", services=2)


def test_nothing_is_lost_or_done_twice_on_sqlite(on_sqlite):
    assert on_sqlite.figures.sentences == []
    assert on_sqlite.figures.rounds == ROUNDS
    assert {kind.partition(",")[0] for kind in on_sqlite.figures.kills} == SHARES.keys()


@pytest.mark.needs("postgresql")
def test_nothing_is_lost_or_done_twice_by_two_services_on_postgresql(on_postgresql):
    assert on_postgresql.figures.sentences == []
    assert {kind.partition(",")[0] for kind in on_postgresql.figures.kills} == SHARES.keys() | SHARES_OF_TWO.keys()


def test_there_was_traffic_to_lose(on_sqlite):
    told = on_sqlite.figures
    assert min(told.questions, told.replies, told.entries, told.declarations) > 5
    assert told.messages > told.asks >= told.replies
    assert "violations" in report([told])


def test_every_kind_of_death_is_in_a_long_plan_in_its_share():
    rounds = plan(200, random.Random(1), services=2)
    kinds = [one.kind for one in rounds]
    assert len(rounds) == 200
    assert set(kinds) == SHARES.keys() | SHARES_OF_TWO.keys()
    assert all(kinds.count(point) >= 10 for point in POINTS)
    assert {one.failpoint.partition(":")[0] for one in rounds} == {"", *POINTS}


# ---- the checker ---------------------------------------------------------------------------------------------------


def changed(both: Records, side: str, table: str, rows: list[Any]) -> Records:
    found = Records(dict(both.service), dict(both.provider), both.vault)
    getattr(found, side)[table] = rows
    return found


def checked(one: Trial, both: Records, ledger: Ledger) -> list[str]:
    return list(check(both, ledger, one.stores.settings.log_key(), one.quiet_at, int(time.time())))


def found_in(one: Trial, both: Records) -> list[str]:
    return checked(one, both, one.traffic.ledger)


def columns_of(row: Any) -> dict[str, Any]:
    return dict(row.columns) if isinstance(row, ProviderRow) else dict(row._mapping)


def without_one(rows: list[Any]) -> list[Any]:
    return rows[:-1]


def with_other(rows: list[Any], index: int = 0, **columns: Any) -> list[Any]:
    return [*rows[:index], ProviderRow({**columns_of(rows[index]), **columns}), *rows[index + 1 :]]


LOST = {
    "reply: given once, stored 0 times": ("service", "replies"),
    "declaration: given, but not stored": ("service", "declarations"),
    "feed: ": ("service", "feed"),
    "log: asks and 'landask sent'": ("service", "asks"),
    "records are without commit": ("service", "records"),
    "jti are spent": ("service", "seen_jtis"),
    "log: positions": ("service", "leaves"),
    "log: the last checkpoint": ("service", "checkpoints"),
    "attempt: the provider does not know it": ("provider", "requests"),
    "reply: stored, but nobody gave it": ("provider", "replies"),
    "declaration: stored, but nobody gave it": ("provider", "declarations"),
}


@pytest.mark.parametrize("sentence", LOST)
def test_a_lost_row_is_seen(on_sqlite, sentence):
    side, table = LOST[sentence]
    rows = getattr(on_sqlite.both, side)[table]
    if table == "leaves":  # not the last one: that would be a shorter log
        rows = [*rows[:5], *rows[6:], rows[5]]
    if table == "requests":
        rows = [row for row in rows if row.state == "answered"]
    told = found_in(on_sqlite, changed(on_sqlite.both, side, table, without_one(rows)))
    assert any(sentence in one for one in told), told[:5]


CHANGED = {
    "delivery: landask+jwt is waiting for ever": ("service", "deliveries", {"state": "waiting"}),
    "its items make it": ("service", "questions", {"state": "created"}),
    "frozen is True": ("service", "questions", {"frozen": True}),
    "with another binding message": ("provider", "requests", {"binding_message": "AAAA-AAAA"}),
    "not durable before it left": ("provider", "requests", {"ask_jti": "A" * 22}),
    "with another token": ("provider", "requests", {"token": "A" * 43}),
    "of another citizen": ("provider", "requests", {"citizen_id": "001085000001"}),
    "open at the provider": ("provider", "requests", {"state": "open", "expires_at": 2**40}),
    "positions are not 1 to": ("service", "feed", {"position": None}),
    "has another root": ("service", "checkpoints", {"root": bytes(32)}),
}


@pytest.mark.parametrize("sentence", CHANGED)
def test_a_changed_row_is_seen(on_sqlite, sentence):
    side, table, columns = CHANGED[sentence]
    rows = getattr(on_sqlite.both, side)[table]
    index = max(range(len(rows)), key=lambda place: weight(rows[place]))
    told = found_in(on_sqlite, changed(on_sqlite.both, side, table, with_other(rows, index, **columns)))
    assert any(sentence in one for one in told), told[:5]


def weight(row: Any) -> tuple[bool, int]:
    """Rather a question that is not frozen and lasts long."""
    return not columns_of(row).get("frozen"), columns_of(row).get("expires_at", 0)


def test_a_leaf_of_which_one_letter_was_changed_is_seen_by_every_checkpoint_after_it(on_sqlite):
    rows = on_sqlite.both.service["leaves"]
    other = rows[3].leaf.replace('"v":1', '"v":2')
    told = found_in(on_sqlite, changed(on_sqlite.both, "service", "leaves", with_other(rows, 3, leaf=other)))
    later = [row for row in on_sqlite.both.service["checkpoints"] if row.size > rows[3].position]
    assert sum("has another root" in one for one in told) == len(later) > 0


@pytest.mark.parametrize("state", ["settled", "office", "declined", "expired"])
def test_an_item_that_ended_otherwise_than_its_answers_say_is_seen(on_sqlite, state):
    rows = on_sqlite.both.service["items"]
    index = next(place for place, row in enumerate(rows) if row.state == "withdrawn")
    told = found_in(on_sqlite, changed(on_sqlite.both, "service", "items", with_other(rows, index, state=state)))
    assert any(one.startswith(("item: ", "question: withdrawn")) for one in told), told[:5]


def test_an_accepted_question_that_is_not_there_is_seen(on_sqlite):
    ledger = on_sqlite.traffic.ledger
    more = copy(ledger)
    more.receipts = {**ledger.receipts, "A" * 22: ["accepted"]}
    told = checked(on_sqlite, on_sqlite.both, more)
    assert [one for one in told if "stored 0 times" in one] == [f"question: accepted, but stored 0 times ({'A' * 22})"]


def test_an_entry_collected_twice_is_seen(on_sqlite):
    more = copy(on_sqlite.traffic.ledger)
    more.entries = [*more.entries, more.entries[-1]]
    told = checked(on_sqlite, on_sqlite.both, more)
    assert any(one.startswith("feed: ") for one in told)
