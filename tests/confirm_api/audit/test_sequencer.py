"""The sequencer at work: on time, once for all, undisturbed by a database that fails, orderly at its end."""

import json
import threading
import time

import pytest
from sqlalchemy import exc, func, select

from confirm_api.audit import checkpoint, log
from confirm_api.audit.sequencer import JTI_SECONDS, Sequencer
from confirm_api.store.engine import reading
from confirm_api.store.tables import leaves, seen_jtis

KEY = checkpoint.new_log_key("example.com/log")


class Time:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def monotonic():
    return Time()


@pytest.fixture
def sequencer(engine, clock, monotonic):
    return Sequencer(engine, KEY, clock, monotonic)


def size(engine):
    with reading(engine) as conn:
        head = log.latest_checkpoint(conn)
    return None if head is None else head.size


def add(units, count=1):
    with units.begin() as unit:
        for _ in range(count):
            unit.leaf("state", "accepted")


def test_a_reader_within_a_second_of_the_last_look_gets_what_was_found_then(units, engine, sequencer, monotonic):
    sequencer.freshen()
    add(units)
    sequencer.freshen()
    assert size(engine) == 0
    monotonic.now = 1.0
    sequencer.freshen()
    assert size(engine) == 1


def test_all_that_waits_is_numbered_at_once_however_much_it_is(units, engine, sequencer, monkeypatch):
    monkeypatch.setattr(log, "BATCH", 3)
    add(units, 10)
    sequencer.freshen()
    assert size(engine) == 10


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_in_its_thread_it_keeps_the_checkpoint_close_and_ends_with_nothing_left(units, engine, clock):
    stop = threading.Event()
    sequencer = Sequencer(engine, KEY, clock)
    thread = threading.Thread(target=sequencer.run, args=(stop,))
    thread.start()
    add(units)
    deadline = time.monotonic() + 5
    while size(engine) != 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert size(engine) == 1
    add(units)
    stop.set()
    thread.join(5)
    assert size(engine) == 2


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_database_that_fails_is_told_and_tried_again(units, engine, sequencer, capsys, monkeypatch):
    add(units)

    def fail(*_args):
        raise exc.OperationalError("x", None, Exception("the database is gone"))

    with monkeypatch.context() as patched:
        patched.setattr(log, "sequence", fail)
        sequencer.tick()
    assert "sequencer failed" in capsys.readouterr().out
    sequencer.tick()
    assert size(engine) == 1


def test_ids_of_messages_are_forgotten_after_24_hours_and_not_before(units, engine, sequencer, clock):
    with units.begin() as unit:
        rows = [("old", clock() - JTI_SECONDS - 1), ("young", clock() - JTI_SECONDS)]
        unit.conn.execute(seen_jtis.insert(), [{"iss": "i", "jti": jti, "seen_at": at} for jti, at in rows])
    sequencer.tick()
    with reading(engine) as conn:
        assert list(conn.execute(select(seen_jtis.c.jti)).scalars()) == ["young"]


def test_two_processes_never_number_a_leaf_twice(units, engine, clock):
    add(units, 50)
    both = [Sequencer(engine, KEY, clock) for _ in range(2)]
    threads = [threading.Thread(target=one.freshen) for one in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(engine) as conn:
        assert conn.execute(select(func.count(leaves.c.position.distinct()))).scalar_one() == 50
        assert json.loads(log.leaf_texts(conn, 0, 1)[0])["event"] == "state"
