from operator import itemgetter

import pytest
from sqlalchemy import func, select

from confirm_api.errors import OfficeError
from confirm_api.office import acceptance, decisions
from confirm_api.office.acceptance import Parcel, Person, Review, accept_run
from confirm_api.office.cases import Filter, find, look
from confirm_api.store.tables import accepted_parcels, cases, people, runs
from tests.confirm_api.office.conftest import LAN, MINH, REASON

A, B, C = "001090000001", "001090000002", "001090000003"
RUN, NEXT = "a" * 64, "b" * 64


def parcel(citizen: str, code: str, *, residential: bool = True) -> Parcel:
    return Parcel(citizen, residential, code, f"Thôn 1, thửa {code}", "AB 123456", "owner")


def review(citizen: str, line: str, code: str) -> Review:
    told = {"parcel_code": code, "address": None, "certificate_serial": None, "role": "owner", "residential": True}
    return Review(citizen, line, "Xã Xuân Trường", {"owner_name": "Ông Nguyễn Văn An", "parcel": told})


def parcels_of(units, citizen: str) -> list[dict]:
    handle = units.vault.handle_of(citizen, create=False)
    with units.begin() as unit:
        held = select(accepted_parcels).join(runs, runs.c.no == accepted_parcels.c.run_no)
        rows = unit.conn.execute(held.where(runs.c.active, accepted_parcels.c.handle == handle)).all()
        place = acceptance.parcel_context
        return [unit.vault.open(handle, place(row.run_no, handle), row.box) for row in rows]


def rows(units, table) -> int:
    with units.begin() as unit:
        return unit.conn.execute(select(func.count()).select_from(table)).scalar_one()


def codes(units, citizen: str) -> list[str]:
    return [held["parcel_code"] for held in parcels_of(units, citizen)]


def test_a_run_is_taken_over_with_parcels_status_and_reviews(units, reasons_of):
    people_ = [[Person(A, "alive"), Person(B, "deceased"), Person(C, "minor")]]
    done = accept_run(units, RUN, [[parcel(A, "1"), parcel(A, "2")]], people_, [[review(C, "dong-7/owner", "9")]])
    assert (done.parcels, done.not_alive, done.reviews) == (2, 2, 1)
    assert min(parcels_of(units, A), key=itemgetter("parcel_code")) == {
        "parcel_code": "1", "address": "Thôn 1, thửa 1", "certificate_serial": "AB 123456", "role": "owner",
    }  # fmt: skip
    with units.begin() as unit:
        stored = dict(unit.conn.execute(select(people.c.handle, people.c.status)).all())
    assert stored == {
        units.vault.handle_of(B, create=False): "deceased",
        units.vault.handle_of(C, create=False): "minor",
    }
    assert reasons_of() == ["run-accepted"]


def test_the_same_run_again_does_nothing(units):
    for _ in range(2):
        accept_run(units, RUN, [[parcel(A, "1")]], [[Person(B, "deceased")]], [[review(C, "l", "9")]])
    assert (rows(units, accepted_parcels), rows(units, people), rows(units, cases)) == (1, 1, 1)


@pytest.mark.parametrize("stopped_after", [0, 1, 2, 3])
def test_a_stopped_run_goes_on_where_it_stopped(units, monkeypatch, stopped_after):
    monkeypatch.setattr(acceptance, "_store_chunk", _stops(acceptance._store_chunk, stopped_after))
    monkeypatch.setattr(acceptance._chunks, "__defaults__", (2,))
    batches = [[parcel(A, str(place)) for place in range(first, first + 3)] for first in (0, 3, 6)]
    with pytest.raises(InterruptedError):
        accept_run(units, RUN, batches, [])
    assert codes(units, A) == []
    monkeypatch.undo()
    accept_run(units, RUN, batches, [])
    assert sorted(codes(units, A)) == [str(place) for place in range(9)]


def _stops(store, after: int):
    done = []

    def stopping(*arguments):
        if len(done) == after:
            raise InterruptedError
        done.append(1)
        return store(*arguments)

    return stopping


def test_until_the_switch_the_old_run_holds_and_afterwards_its_rows_are_gone(units):
    accept_run(units, RUN, [[parcel(A, "old")]], [])
    seen = []

    def new_rows():
        yield [parcel(A, "new")]
        seen.extend(codes(units, A))

    accept_run(units, NEXT, new_rows(), [])
    assert seen == ["old"]
    assert codes(units, A) == ["new"]
    assert (rows(units, accepted_parcels), rows(units, runs)) == (1, 1)


def test_two_commands_at_once_do_not_mix(units):
    def rows_with_a_rival():
        yield [parcel(A, "1")]
        acceptance._load_parcels(units, 1, [[parcel(A, "x")]], lambda _step, _done: None)

    with pytest.raises(OfficeError):
        accept_run(units, RUN, rows_with_a_rival(), [])


def test_a_person_found_alive_again_may_be_asked_again(units):
    accept_run(units, RUN, [], [[Person(B, "deceased")]])
    accept_run(units, NEXT, [], [[Person(B, "alive")]])
    assert rows(units, people) == 0


def test_nobody_alive_without_parcels_gets_a_handle(units):
    accept_run(units, RUN, [], [[Person(A, "alive")]])
    assert units.vault.handle_of(A, create=False) is None


def test_a_confirmed_review_link_counts_and_goes_over_into_the_next_run(units, staff):
    accept_run(units, RUN, [], [], [[review(C, "l", "9")]])
    with units.begin() as unit:
        decisions.decide(unit, LAN, 1, "confirm", REASON)
    assert codes(units, C) == ["9"]
    accept_run(units, NEXT, [], [], [[review(C, "l", "9")]])
    assert codes(units, C) == ["9"]
    assert rows(units, cases) == 1


def test_a_confirmed_link_that_the_next_run_accepts_itself_counts_once(units, staff):
    accept_run(units, RUN, [], [], [[review(C, "l", "9")]])
    with units.begin() as unit:
        decisions.decide(unit, LAN, 1, "confirm", REASON)
    accept_run(units, NEXT, [[Parcel(C, True, "9", None, None, "owner")]], [])
    assert codes(units, C) == ["9"]


def test_a_reopened_review_link_counts_no_longer_until_two_confirm_it(units, staff):
    accept_run(units, RUN, [], [], [[review(C, "l", "9")]])
    with units.begin() as unit:
        decisions.decide(unit, LAN, 1, "confirm", REASON)
        decisions.reopen(unit, LAN, 1, REASON)
    assert codes(units, C) == []
    with units.begin() as unit:
        decisions.decide(unit, LAN, 1, "confirm", REASON)
    assert codes(units, C) == []
    with units.begin() as unit:
        decisions.decide(unit, MINH, 1, "confirm", REASON)
    assert codes(units, C) == ["9"]


def test_a_confirmed_link_to_someone_who_died_since_does_not_count(units, staff):
    accept_run(units, RUN, [], [], [[review(C, "l", "9")]])
    with units.begin() as unit:
        decisions.decide(unit, LAN, 1, "confirm", REASON)
    accept_run(units, NEXT, [], [[Person(C, "deceased")]], [[review(C, "l", "9")]])
    assert codes(units, C) == []


def test_a_review_that_the_next_run_no_longer_asks_is_superseded(units):
    accept_run(units, RUN, [], [], [[review(C, "l", "9"), review(C, "m", "8")]])
    done = accept_run(units, NEXT, [], [], [[review(C, "m", "8")]])
    assert (done.superseded, done.reviews) == (1, 1)
    with units.begin() as unit:
        assert [row.no for row in find(unit, LAN, Filter()).rows] == [2]


def test_an_officer_reads_what_the_run_said_of_a_review_link(units):
    accept_run(units, RUN, [], [], [[review(C, "l", "9")]])
    with units.begin() as unit:
        assert look(unit, LAN, 1).contents[0]["owner_name"] == "Ông Nguyễn Văn An"
