"""The pure parts of the service's benchmark: what counts as steady, which call belongs where, what the cryptography is.

Processes, PostgreSQL and HTTP are the benchmark itself: `benchmarks/service.py --citizens 200 --paced-seconds 10`.
"""

from __future__ import annotations

import json
import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import service
from benchmarks.tools import service_crypto, service_figures, service_load, service_people
from benchmarks.tools.service_figures import Cost, Endpoint, percentile, steady
from benchmarks.tools.service_processes import Look, used
from exchange import payloads

OUTCOMES = st.lists(st.tuples(st.floats(0, 10), st.integers(1, 50)), min_size=2, max_size=40).map(
    lambda steps: [(float(place), count) for place, (_, count) in enumerate(steps)]
)


@given(OUTCOMES, st.floats(0, 45))
def test_the_steady_state_holds_no_more_than_ended_in_it(done, until):
    found = steady(done, until=until)
    assert found.begin <= found.end
    assert found.questions == sum(count for at, count in done if found.begin < at <= found.end)


def test_the_steady_state_ends_with_the_last_posting_and_not_with_the_last_outcome():
    done = [(float(second), 10) for second in range(101)]
    assert steady(done).end == 90.0
    assert steady(done, until=60.5).end == 60.0
    assert steady(done, until=60.5).per_second == pytest.approx(10.0)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=300), st.sampled_from([0.5, 0.99, 1.0]))
def test_a_percentile_is_a_measured_value_that_the_share_does_not_exceed(values, share):
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9


def test_p99_of_a_hundred_calls_is_the_second_slowest_and_of_fewer_the_slowest():
    assert percentile(range(1, 101), 0.99) == 99
    assert percentile(range(1, 100), 0.99) == 99


def line(**told):
    return json.dumps({"event": "request", "timestamp": "1970-01-01T00:01:40+00:00", **told})


def test_access_lines_count_by_when_the_request_began_and_other_lines_do_not_count():
    lines = [
        line(route="/a", status=200, seconds=2.0),
        line(event="listening"),
        "quychu serve listens on http://127.0.0.1:1",
        "[1]",
    ]
    assert list(service_figures.access_lines(lines, 97.5, 99.0)) == [("/a", 200, 2.0)]
    assert list(service_figures.access_lines(lines, 98.5, 101.0)) == []


def leaf(event, outcome, *, sealed="00", commit="00"):
    return json.dumps({"event": event, "outcome": outcome, "sealed": sealed, "commit": commit})


def test_seals_and_opens_are_counted_from_the_log():
    leaves = [
        leaf("landask", "sent"),
        leaf("landask", "delivered", sealed=None, commit=None),
        leaf("landreply", "accepted"),
        leaf("callback", "accepted", sealed=None, commit=None),
        leaf("callback", "refused", commit=None),
        leaf("state", "accepted", sealed=None, commit=None),
    ]
    expected = Counter({("landask", "seal"): 1, ("landreply", "open"): 1, ("", "record"): 2})
    assert +service_figures.counted(leaves) == expected


def test_a_kind_that_was_not_measured_costs_what_the_dearest_does():
    costs = {"landask": Cost(2.0, 1.0), "landreply": Cost(1.0, 3.0)}
    counts = {("landcancel", "seal"): 1, ("landcancel-receipt", "open"): 1, ("", "record"): 7}
    assert service_figures.envelope_seconds(counts, costs) == 5.0


def test_processor_time_is_taken_between_the_nearest_looks_and_others_are_what_is_left():
    looks = [Look(float(at), {"service": at * 0.5}, {"service": 10 - at}, at * 2.0) for at in range(10)]
    found = used(looks, 1.9, 6.2)
    assert (found.seconds, found.cpu["service"], found.others, found.peak["service"]) == (4.0, 2.0, 6.0, 8)


def test_every_question_is_valid_and_its_citizen_answers_it_fully():
    numbers = range(40)
    batch = {"batch_id": service_people.named("batch"), "questions": [service_people.question(one) for one in numbers]}
    model = payloads.parse("landquestions+jwt", batch)
    assert [payloads.question_fault(one) for one in model.questions] == [None] * 40
    crowd = service_people.Crowd(numbers)
    for one in batch["questions"]:
        said = crowd.decide({"items": [{"item_id": parcel["item_id"]} for parcel in one["parcels"]]})
        for parcel, answer in zip(one["parcels"], said, strict=True):
            assert parcel["certificate_serial"].endswith(answer["challenge_response"])


def test_nobody_is_asked_twice_and_the_silent_are_others():
    ids = [service_people.citizen_id(number) for number in range(0, 400_000, 997)]
    assert len(set(ids)) == len(ids)
    load = service_load.Load(None, "vn-p256", 100, 50, 5, 0, silent=10)
    assert not set(load.asked) & set(load.never_answering)
    assert service_people.Crowd(load.asked).decide({"items": [{"item_id": "another"}]}) is None


@pytest.mark.parametrize("suite", ["vn-p256", "modern-25519"])
def test_the_measured_messages_are_those_of_the_protocol(suite, monkeypatch):
    monkeypatch.setattr(service_crypto, "ROUNDS", 1)
    monkeypatch.setattr(service_crypto, "TIMES", 1)
    for event, payload in service_crypto._payloads(5).items():
        payloads.parse(f"{event}+jwt", payload)
    costs = service_crypto.costs(suite, batch=5)
    assert min(min(cost.seal, cost.open) for cost in costs.values()) > 0
    assert min(service_crypto.bare(suite).seal, service_crypto.box_cost().open) > 0


def test_an_endpoint_is_judged_by_its_clients_where_there_are_any_and_refusals_not_at_all():
    found = {
        "/v1/answers": Endpoint([0.2, 0.3], [0.01]),
        "/v1/callbacks/vneid": Endpoint([], [0.02]),
        "refused at check 6": Endpoint([9.0]),
    }
    judged = service.latency_targets(found, "vn-p256")
    assert [(target.value, target.met) for target in judged] == [(300.0, False), (20.0, True)]


def test_the_pace_is_half_of_the_target_or_of_what_was_measured():
    assert [service.paced_rate(value) for value in (math.inf, 50.0, 30.0)] == [25.0, 25.0, 15.0]


def test_batches_leave_nobody_out():
    assert [one for batch in service_load.batches(range(7, 30), 5) for one in batch] == list(range(7, 30))
