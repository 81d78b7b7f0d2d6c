"""Several officers, and the service, at the same moment."""

import threading

import pytest
from sqlalchemy import func, select

from confirm_api.office import decisions
from confirm_api.office.cases import open_case
from confirm_api.office.refusals import StateError
from confirm_api.service.locks import retrying
from confirm_api.store.tables import cases, feed, items, votes
from scripts.office_samples import fill
from tests.confirm_api.office.conftest import HOA, LAN, MINH, REASON


@pytest.fixture
def no(units) -> dict[str, int]:
    return fill(units)


def together(*works):
    """Run all at the same moment; what each gave or was refused with."""
    barrier, results = threading.Barrier(len(works)), [None] * len(works)

    def one(place, work):
        barrier.wait()
        try:
            results[place] = work()
        except StateError as refusal:
            results[place] = refusal

    threads = [threading.Thread(target=one, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def vote(units, actor, case, action):
    return lambda: retrying(units, lambda unit: decisions.decide(unit, actor, case, action, REASON))


def test_two_votes_at_the_same_moment_end_a_dispute_once(units, no):
    found = together(vote(units, LAN, no["dispute"], "confirm"), vote(units, MINH, no["dispute"], "confirm"))
    assert sorted(one.state for one in found) == ["decided", "first_vote"]
    with units.begin() as unit:
        assert unit.conn.execute(select(func.count()).select_from(votes)).scalar_one() == 2
        shared = select(items.c.state).where(items.c.item_id.startswith("item-shared"))
        assert unit.conn.execute(shared).scalars().all() == ["settled"] * 2


def test_two_decisions_at_the_same_moment_are_one_decision_and_one_refusal(units, no):
    found = together(vote(units, LAN, no["unproven"], "confirm"), vote(units, HOA, no["unproven"], "reject"))
    assert sorted(type(one).__name__ for one in found) == ["Decided", "StateError"]
    with units.begin() as unit:
        assert unit.conn.execute(select(func.count()).select_from(feed)).scalar_one() == 1


def test_both_sides_of_a_dispute_decided_at_the_same_moment_contradict_each_other_never(units, no):
    for case in (no["dispute"], no["dispute_two"]):
        vote(units, LAN, case, "confirm")()
    found = together(vote(units, MINH, no["dispute"], "confirm"), vote(units, MINH, no["dispute_two"], "confirm"))
    assert sorted(type(one).__name__ for one in found) == ["Decided", "StateError"]
    with units.begin() as unit:
        shared = select(items.c.verdict).where(items.c.item_id.startswith("item-shared"))
        assert sorted(unit.conn.execute(shared).scalars()) == ["mine", "not_mine"]


def test_the_service_adds_to_a_case_while_an_officer_decides_it(units, no):
    handle = units.vault.handle_of("001090000015", create=False)

    def add():
        def work(unit):
            from confirm_api.service import locks

            locks.lock(unit.conn, [handle], ["item-plain" + "-" * 12])
            return open_case(
                unit, "unproven", handle=handle, question_no=5, item_id="item-plain" + "-" * 12, content={"more": 1}
            )

        return retrying(units, work)

    added, decided = together(add, vote(units, LAN, no["unproven"], "confirm"))
    assert decided.state == "decided"
    with units.begin() as unit:
        opened = select(cases.c.no, cases.c.state).where(cases.c.kind == "unproven")
        states = dict(unit.conn.execute(opened).all())
    assert states[no["unproven"]] == "decided"
    assert added in states
