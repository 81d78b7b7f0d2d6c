"""The log in both databases: an effect and its leaf, positions without gaps, proofs from what is signed."""

import json
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from confirm_api.audit import checkpoint, log, merkle
from confirm_api.store.engine import reading
from confirm_api.store.tables import checkpoints, feed, leaves, questions, records
from exchange.canonical import canonical

KEY = checkpoint.new_log_key("example.com/log")
ENTRY = log.Entry("landquestions", "accepted", "Q" * 22, "ab" * 32, "from", "to")


def add(units, count=1, entry=ENTRY):
    with units.begin() as unit:
        return [log.append(unit.conn, unit.vault, entry, inner=None, handles=(), now=unit.now) for _ in range(count)]


def number(units):
    with units.begin() as unit:
        return log.sequence(unit.conn, unit.now, KEY)


def texts(conn, size):
    return [leaf for start in range(0, size, 1000) for leaf in log.leaf_texts(conn, start, min(size, start + 1000))]


def test_a_leaf_has_exactly_the_fields_of_the_protocol_in_canonical_form(units):
    add(units)
    number(units)
    with reading(units.engine) as conn:
        (leaf,) = log.leaf_texts(conn, 0, 1)
    assert list(json.loads(leaf)) == sorted(
        ["v", "time", "event", "subject", "sealed", "commit", "from_kid", "to_kid", "outcome", "reason"]
    )
    assert json.loads(leaf)["subject"] == log.subject("Q" * 22)
    assert leaf == json.dumps(json.loads(leaf), sort_keys=True, separators=(",", ":"))


@given(st.builds(log.Entry, *[st.text(st.characters(exclude_categories=["Cs"]))] * 7), st.integers(0, 2**53 - 1))
def test_a_leaf_is_the_canonical_form_of_its_fields(entry, now):
    leaf = log.leaf_text(entry, commit=None, now=now)
    assert leaf.encode() == canonical(json.loads(leaf))


def test_what_is_rolled_back_leaves_no_leaf(units):
    def fail():
        with units.begin() as unit:
            log.append(unit.conn, unit.vault, ENTRY, inner="a.b.c", handles=(), now=unit.now)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert number(units) == log.Numbered(0, 0, 0)


def test_the_record_opens_the_commitment_and_goes_dark_when_any_of_its_citizens_is_erased(units):
    one, two = (units.vault.handle_of(f"00109000000{digit}", create=True) for digit in (1, 2))
    with units.begin() as unit:
        no = log.append(unit.conn, unit.vault, ENTRY, inner="a.b.c", handles=(one, two), now=unit.now)
    with reading(units.engine) as conn:
        row = conn.execute(select(records).where(records.c.leaf_no == no)).one()
        commit = json.loads(conn.execute(select(leaves.c.leaf)).scalar_one())["commit"]
    opening = units.vault.open_together(json.loads(row.handles), log.record_context(no), row.box)
    assert opening[32:] == b"a.b.c"
    assert log.commitment(opening[:32], "a.b.c") == commit
    units.vault.erase(two)
    with pytest.raises(Exception, match="key of a citizen is gone"):
        units.vault.open_together(json.loads(row.handles), log.record_context(no), row.box)


def test_a_message_about_an_erased_citizen_still_has_its_leaf_and_no_record(units):
    handle = units.vault.handle_of("001090000001", create=True)
    units.vault.erase(handle)
    with units.begin() as unit:
        log.append(unit.conn, unit.vault, ENTRY, inner="a.b.c", handles=(handle,), now=unit.now)
    with reading(units.engine) as conn:
        assert conn.execute(select(records)).first() is None
        assert conn.execute(select(leaves)).one()


def test_the_first_checkpoint_is_of_the_empty_tree(units):
    number(units)
    with reading(units.engine) as conn:
        head = log.latest_checkpoint(conn)
    assert (head.size, head.root) == (0, merkle.EMPTY_ROOT)


def test_nothing_is_signed_again_where_nothing_grew(units, clock):
    add(units)
    number(units)
    clock.move(100)
    assert number(units) == log.Numbered(0, 0, 1)
    with reading(units.engine) as conn:
        assert [row.size for row in conn.execute(select(checkpoints))] == [1]


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_every_leaf_and_every_older_tree_is_proven_after_any_growth(units, growth):
    heads = []
    for count in growth:
        add(units, count)
        number(units)
        with reading(units.engine) as conn:
            heads.append(log.latest_checkpoint(conn))
    newest = heads[-1]
    with reading(units.engine) as conn:
        assert merkle.root([merkle.leaf_hash(leaf.encode()) for leaf in texts(conn, newest.size)]) == newest.root
        for index in {0, newest.size // 2, newest.size - 1}:
            proof = checkpoint.parse_proof(log.proof(conn, index=index))
            signed = checkpoint.parse_checkpoint(checkpoint.open_note(proof.note, KEY.verifier))
            leaf = merkle.leaf_hash(proof.leaf)
            assert merkle.verify_inclusion(leaf, proof.index, signed.size, proof.path, signed.root)
        for head in heads:
            path = log.consistency(conn, head.size, newest.size)
            assert merkle.verify_consistency(head.size, newest.size, path, head.root, newest.root)


def test_what_is_not_signed_yet_is_not_given(units):
    add(units, 3)
    number(units)
    add(units, 2, log.Entry("callback", "accepted", sealed="cd" * 32))
    with reading(units.engine) as conn:
        assert log.proof(conn, index=3) is None
        assert log.proof(conn, sealed="cd" * 32) is None
        assert log.consistency(conn, 3, 4) is None
        assert log.leaf_texts(conn, 0, 4) is None
        assert len(log.leaf_texts(conn, 0, 3)) == 3
        assert log.leaf_texts(conn, 3, 3) == []
        assert log.unnumbered(conn) == 2


def test_the_proof_by_message_is_of_the_first_leaf_that_has_it(units):
    add(units, 2, log.Entry("callback", "accepted"))
    add(units, 3)
    number(units)
    with reading(units.engine) as conn:
        assert checkpoint.parse_proof(log.proof(conn, sealed="ab" * 32)).index == 2


def test_a_reader_gets_at_most_a_thousand_leaves(units):
    add(units, 1_001)
    number(units)
    with reading(units.engine) as conn:
        assert len(log.leaf_texts(conn, 0, 1_001)) == log.MOST_LEAVES


@pytest.mark.needs("postgresql")
@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_leaf_that_commits_late_gets_a_later_position(units):
    """Two transactions are under way at once, which SQLite knows not: the smaller number may be seen last."""
    with units.engine.connect() as slow:
        late = log.append(slow, units.vault, ENTRY, inner=None, handles=(), now=1)
        (early,) = add(units)
        number(units)
        slow.commit()
    number(units)
    with reading(units.engine) as conn:
        placed = dict(conn.execute(select(leaves.c.no, leaves.c.position)).all())
    assert late < early
    assert placed == {early: 0, late: 1}


def test_many_sequencers_and_writers_at_once_leave_no_gap_and_no_fork(units):
    def write():
        for _ in range(10):
            add(units, 3)

    def sequence():
        for _ in range(10):
            number(units)

    threads = [threading.Thread(target=work) for work in (write, write, sequence, sequence)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    number(units)
    with reading(units.engine) as conn:
        assert sorted(conn.execute(select(leaves.c.position)).scalars()) == list(range(60))
        for head in conn.execute(select(checkpoints)).all():
            assert merkle.root([merkle.leaf_hash(leaf.encode()) for leaf in texts(conn, head.size)]) == head.root


def test_entries_of_the_feed_are_numbered_from_one_in_their_order(units):
    with units.begin() as unit:
        row = {"question_id": "q", "handle": "h", "fingerprint": b"", "priority": 0.5, "accepted_at": 1}
        row |= {"expires_at": 2, "state": "created", "binding_message": "ABCD-EFGH"}
        no = unit.conn.execute(questions.insert(), row).inserted_primary_key[0]
        entry = {"question_no": no, "state": "expired", "proven": False, "evidence_level": "none"}
        unit.conn.execute(feed.insert(), [entry | {"item_id": str(item)} for item in range(5)])
    assert number(units).entries == 5
    with reading(units.engine) as conn:
        rows = conn.execute(select(feed.c.item_id, feed.c.position).order_by(feed.c.no)).all()
    assert rows == [(str(item), item + 1) for item in range(5)]


def test_a_backlog_is_numbered_in_batches(units, monkeypatch):
    monkeypatch.setattr(log, "BATCH", 4)
    add(units, 10)
    assert [number(units).leaves for _ in range(4)] == [4, 4, 2, 0]


def test_the_lag_is_the_age_of_the_oldest_leaf_that_waits(units, clock):
    add(units)
    clock.move(7)
    add(units)
    with reading(units.engine) as conn:
        assert log.lag_seconds(conn, clock()) == 7
    number(units)
    with reading(units.engine) as conn:
        assert log.lag_seconds(conn, clock()) == 0
