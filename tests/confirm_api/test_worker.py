"""The worker against a provider over real HTTP, on both databases."""

import threading
import time

import pytest
from sqlalchemy import select

from confirm_api.outbox import SCHEDULE_SECONDS
from confirm_api.service import sending
from confirm_api.store.tables import asks, records, replies, seen_jtis
from confirm_api.worker import Worker
from exchange.transport import Client
from tests.confirm_api.provider import OWN, Provider, Server, failing, plain, provider_peer, silent
from tests.confirm_api.service.helpers import Story, citizen, ident, parcel, question, said

ONLY_SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
"""For tables of cases that only bend what crosses the wire: the other database has nothing to add."""


@pytest.fixture
def provider(clock):
    provider = Provider(clock)
    server = Server(provider)
    yield provider
    server.stop()


@pytest.fixture
def story(units, clock) -> Story:
    return Story(units, clock)


@pytest.fixture
def worker(units, provider):
    client = Client(read_seconds=5, total_seconds=5)
    yield Worker(units, OWN["service"], provider_peer(provider.url), jitter=lambda: 1.0, client=client)
    client.close()


def events(story, *names):
    return [(leaf["event"], leaf["outcome"], leaf["reason"]) for leaf in story.leaves() if leaf["event"] in names]


def test_a_question_is_asked_pinged_fetched_and_settled(story, provider, worker, clock):
    story.post(question("one", 1, parcel("a")))
    assert worker.run_once() == 1
    assert provider.asks[0]["login_hint"] == citizen(1)
    assert worker.run_once() == 0, "not before its interval"
    provider.reply(ident("one"), said("a", "mine", "6864"))
    assert story.ping("one", token=provider.asks[0]["client_notification_token"])
    assert worker.run_once() == 1
    assert story.states("one") == ["settled"]
    assert [(one["event"], one["outcome"]) for one in story.leaves() if one["event"] != "state"] == [
        ("landask", "sent"),
        ("landask", "delivered"),
        ("callback", "accepted"),
        ("landfetch", "sent"),
        ("landfetch", "delivered"),
        ("landreply", "accepted"),
    ]


def test_an_ask_says_what_the_protocol_says_and_nothing_personal(story, provider, worker):
    posted = parcel("a", co_owner_name="Trần Thị Hoa", hamlet="Số nhà 12, Thôn 3", parcel_code="w7kz3n9qhx2p")
    story.post(question("one", 1, posted, parcel("b", serial="A12")))
    worker.run_once()
    ask = provider.asks[0]
    assert ask["scope"] == "openid land_confirmation"
    assert ask["requested_expiry"] == 86_400
    assert ask["ask"]["purpose"] == "land_confirmation"
    assert ask["ask"]["remind_after_days"] == [3, 10, 24]
    assert [one["challenge"] for one in ask["ask"]["items"]] == [
        {"kind": "certificate_suffix", "length": 4},
        {"kind": "none", "length": 0},
    ]
    text = str(ask["ask"]["items"])
    assert not [word for word in ("266864", "6864", "Hoa", "nhà 12", "w7kz", citizen(1)) if word in text]


def test_a_reply_is_fetched_by_polling_where_the_ping_is_lost(story, provider, worker, clock):
    story.post(question("one", 1, parcel("a")))
    worker.run_once()
    clock.move(1)
    assert worker.run_once() == 1
    assert story.state("one") == "sent"
    provider.reply(ident("one"), said("a", "not_mine"))
    clock.move(1)  # a second on the clock, of which almost nothing may have passed
    assert worker.run_once() == 0
    clock.move(1)
    assert worker.run_once() == 1
    assert story.states("one") == ["settled"]


def test_polling_is_never_faster_than_the_interval_and_slow_down_adds_five_seconds(story, provider, worker, clock):
    provider.interval = 4
    story.post(question("one", 1, parcel("a")))
    worker.run_once()
    for _ in range(4):
        assert worker.run_once() == 0
        clock.move(1)
    provider.request(ident("one")).error = "slow_down"
    assert worker.run_once() == 1
    for _ in range(10):
        assert worker.run_once() == 0
        clock.move(1)
    assert worker.run_once() == 1
    assert story.attempt("one").interval == 14


def test_a_message_without_an_answer_is_sent_anew_and_has_one_effect(story, provider, worker, clock):
    provider.faults.append(("/bc-authorize", lambda message: provider._ask(message) and silent(message)))
    story.post(question("one", 1, parcel("a")))
    assert worker.run_once() == 1
    assert worker.run_once() == 0
    clock.move(SCHEDULE_SECONDS[1])
    assert worker.run_once() == 1
    one, two = provider.asks
    assert one["ask"] == two["ask"]
    assert one["jti"] != two["jti"]
    assert one["client_notification_token"] != two["client_notification_token"]
    assert one["binding_message"] == two["binding_message"]
    assert len(provider.requests) == 1
    assert events(story, "landask") == [
        ("landask", "sent", None),
        ("landask", "retry", "no-answer"),
        ("landask", "sent", None),
        ("landask", "delivered", None),
    ]
    provider.reply(ident("one"), said("a", "mine", "6864"), ask_jti=one["jti"])
    assert story.ping("one", token=one["client_notification_token"]), "earlier tokens stay good"
    worker.run_once()
    assert story.states("one") == ["settled"]


@ONLY_SQLITE
@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_provider_is_asked_again_when_it_says(story, provider, worker, clock, status):
    provider.faults.append(("/bc-authorize", failing(status, retry_after="77")))
    story.post(question("one", 1, parcel("a")))
    worker.run_once()
    clock.move(76)
    assert worker.run_once() == 0
    clock.move(1)
    assert worker.run_once() == 1
    assert story.attempt("one").state == "open"


def test_an_ask_that_is_never_answered_becomes_a_dead_letter_and_the_question_undeliverable(
    story, provider, worker, clock
):
    provider.faults += [("/bc-authorize", failing(503))] * 10
    story.post(question("one", 1, parcel("a"), expires_in=2_592_000), question("two", 2, parcel("a", rank=2)))
    for seconds in SCHEDULE_SECONDS:
        assert story.states("one") == ["asked"]
        clock.move(seconds)
        assert worker.run_once() == 1
        assert worker.run_once() in {0, 1}
        if seconds == SCHEDULE_SECONDS[-1]:
            break
    assert story.states("one") == ["undeliverable"]
    assert events(story, "landask")[18:20] == [("landask", "sent", None), ("landask", "dead", "status-503")]


@ONLY_SQLITE
@pytest.mark.parametrize("status", [204, 302, 401, 403, 404, 413, 422])
def test_anything_else_is_a_dead_letter_at_once(story, provider, worker, status):
    provider.faults.append(("/bc-authorize", failing(status)))
    story.post(question("one", 1, parcel("a")))
    worker.run_once()
    assert story.states("one") == ["undeliverable"]
    assert story.deliveries("landask+jwt", "dead")


@ONLY_SQLITE
@pytest.mark.parametrize("error", ["unknown_user_id", "access_denied", "invalid_request"])
def test_the_three_errors_of_an_ask_make_the_question_undeliverable(story, provider, worker, error):
    provider.errors[citizen(1)] = error
    story.post(question("one", 1, parcel("a")))
    worker.run_once()
    assert story.states("one") == ["undeliverable"]
    assert not story.deliveries("landask+jwt", "dead")


@ONLY_SQLITE
@pytest.mark.parametrize(
    "answer",
    [
        plain(200, {"auth_req_id": "short", "expires_in": 60, "interval": 5}),
        plain(200, {"auth_req_id": "A" * 22, "expires_in": -1, "interval": 5}),
        plain(200, {"auth_req_id": "A" * 22, "expires_in": 60, "interval": 61}),
        plain(200, {"auth_req_id": "A" * 22, "expires_in": 60}),
        (200, "text/html", b"<p>", {}),
        (200, "application/json", b'{"auth_req_id":"x","auth_req_id":"y"}', {}),
    ],
)
def test_an_answer_that_is_not_as_it_should_be_is_asked_for_again(story, provider, worker, clock, answer):
    provider.faults.append(("/bc-authorize", lambda _message: answer))
    story.post(question("one", 1, parcel("a")))
    worker.run_once()
    assert story.attempt("one").state == "sending"
    clock.move(5)
    worker.run_once()
    assert story.attempt("one").state == "open"


def test_a_declined_request_ends_the_question_as_declined(story, provider, worker, clock):
    story.post(question("one", 1, parcel("a")))
    worker.run_once()
    provider.request(ident("one")).error = "access_denied"
    clock.move(1)
    worker.run_once()
    assert story.states("one") == ["declined"]
    clock.move(600)
    assert worker.run_once() == 0


def test_a_request_that_the_provider_ends_early_is_asked_again_in_a_new_attempt(story, provider, worker, clock):
    provider.expires_in = 3
    story.post(question("one", 1, parcel("a")))
    worker.run_once()
    provider.request(ident("one")).error = "expired_token"
    clock.move(1)
    assert worker.run_once() == 1
    assert story.attempt("one").attempt == 2
    assert worker.run_once() == 1
    assert [ask["ask"]["attempt"] for ask in provider.asks] == [1, 2]
    assert provider.asks[0]["binding_message"] == provider.asks[1]["binding_message"]


def test_a_withdrawn_request_is_taken_back_and_its_crossing_reply_stored_late(story, provider, worker, clock):
    story.post(question("one", 1, parcel("a")))
    worker.run_once()
    provider.reply(ident("one"), said("a", "mine", "6864"))
    story.withdraw("one")
    assert worker.run_once() == 1
    assert provider.cancels[0]["reason"] == "withdrawn"
    assert worker.run_once() == 1, "fetched once more"
    assert story.states("one") == ["withdrawn"]
    assert [row.late for row in story.rows(replies)] == [True]
    clock.move(600)
    assert worker.run_once() == 0


def test_an_ask_taken_back_before_its_answer_is_cancelled_as_soon_as_its_id_is_known(story, provider, worker, clock):
    provider.faults.append(("/bc-authorize", lambda message: provider._ask(message) and silent(message)))
    story.post(question("one", 1, parcel("a")))
    worker.run_once()
    story.withdraw("one")
    assert worker.run_once() == 0
    clock.move(5)
    assert worker.run_once() == 1
    assert worker.run_once() == 1
    assert provider.cancels[0]["auth_req_id"] == provider.request(ident("one")).auth_req_id


def test_an_ask_taken_back_before_it_left_is_never_sent(story, provider, worker):
    story.post(question("one", 1, parcel("a")))
    story.withdraw("one")
    assert worker.run_once() == 0
    assert provider.asks == []
    assert story.attempt("one").state == "closed"


@ONLY_SQLITE
@pytest.mark.parametrize(
    ("bent", "reason"),
    [
        ({"sub": citizen(2)}, "sub"),
        ({"question_id": ident("other")}, "question-id"),
        ({"attempt": 2}, "attempt"),
        ({"auth_req_id": ident("other")}, "auth-req-id"),
        ({"ask_jti": ident("other")}, "ask-jti"),
        ({"acr": "urn:vneid:level:1"}, "15"),
        ({"acr": "urn:vneid:level:02"}, "15"),
        ({"answers": []}, "items"),
        ({"answers": [said("b", "mine", "6864")]}, "items"),
        ({"answers": [said("a", "mine", "6864"), said("b", "mine")]}, "items"),
        ({"answers": [said("a", "mine"), said("a", "not_mine")]}, "15"),
        ({"answers": [said("a", "not_mine", "6864")]}, "15"),
        ({"extra": 1}, "15"),
    ],
)
def test_a_reply_that_fails_a_check_changes_nothing_but_the_log_and_polling_goes_on(
    story, provider, worker, clock, bent, reason
):
    provider.bend = lambda reply: reply | bent
    story.post(question("one", 1, parcel("a")))
    worker.run_once()
    provider.reply(ident("one"), said("a", "mine", "6864"))
    clock.move(1)
    worker.run_once()
    assert story.states("one") == ["asked"]
    assert story.rows(replies) == []
    assert events(story, "landreply") == [("landreply", "refused", reason)]
    provider.bend = lambda reply: reply
    clock.move(2)
    worker.run_once()
    assert story.states("one") == ["settled"]


def test_a_reply_to_another_fetch_or_by_another_key_is_refused(story, provider, worker, clock):
    story.post(question("one", 1, parcel("a")))
    worker.run_once()
    provider.reply(ident("one"), said("a", "mine", "6864"))
    old = []

    def keep(message):
        old.append(provider.sealed(provider.request(ident("one")).reply, "landreply+jwt", message))
        return failing(503)(message)

    provider.faults += [("/token", keep), ("/token", lambda _message: old[0])]
    for _ in range(2):
        clock.move(2)
        worker.run_once()
    assert events(story, "landreply") == [("landreply", "refused", "13")]
    assert story.states("one") == ["asked"]


def test_a_reply_fetched_twice_is_stored_once(story, provider, worker, clock):
    story.post(question("one", 1, parcel("a")))
    worker.run_once()
    provider.reply(ident("one"), said("a", "mine", "6864"))
    clock.move(1)
    with story.units.begin() as unit:
        first = sending.claim(unit, worker._sender, 8)
    clock.move(200)  # that worker was killed
    assert worker.run_once() == 1
    late = [worker._exchange(one) for one in first.outgoing]
    story.take(*late)
    assert len(story.rows(replies)) == 1
    assert len(story.collect()["answers"]) == 1


def test_a_citizen_answers_in_the_last_second_and_it_counts(story, provider, worker, clock):
    story.post(question("one", 1, parcel("a"), expires_in=60))
    worker.run_once()
    clock.move(59)
    provider.reply(ident("one"), said("a", "mine", "6864"))
    clock.move(2)
    assert worker.run_once() == 1
    assert story.states("one") == ["settled"]


def test_a_question_ends_with_the_last_fetch_after_its_time(story, provider, worker, clock):
    story.post(question("one", 1, parcel("a"), expires_in=60))
    worker.run_once()
    clock.move(60)
    worker.run_once()
    assert story.states("one") == ["expired"]
    worker.run_once()
    assert [cancel["reason"] for cancel in provider.cancels] == ["expired"]


def test_a_question_ends_a_minute_later_where_the_provider_cannot_be_reached(story, provider, worker, clock):
    story.post(question("one", 1, parcel("a"), expires_in=60))
    worker.run_once()
    provider.faults += [("/token", silent)] * 50
    clock.move(61)
    worker.run_once()
    assert story.states("one") == ["asked"]
    clock.move(60)
    worker.run_once()
    assert story.states("one") == ["expired"]


def test_two_workers_never_send_the_same_message_twice(story, provider, worker, units, clock):
    story.post(*(question(f"q{number}", number, parcel(f"i{number}")) for number in range(60)))
    client = Client()
    workers = [
        worker,
        Worker(units, OWN["service"], provider_peer(provider.url), client=client, idle_seconds=0.01),
    ]
    stop = threading.Event()
    threads = [threading.Thread(target=one.run, args=(stop,)) for one in workers]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 120
    while len(story.deliveries("landask+jwt", "delivered")) < 60 and time.monotonic() < deadline:
        time.sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join()
    client.close()
    assert len(provider.asks) == 60
    assert len({ask["ask"]["question_id"] for ask in provider.asks}) == 60
    assert len(story.rows(asks)) == 60


def test_every_answer_is_spent_and_every_message_has_its_record(story, provider, worker, clock):
    story.post(question("one", 1, parcel("a")))
    worker.run_once()
    provider.reply(ident("one"), said("a", "mine", "6864"))
    clock.move(1)
    worker.run_once()
    assert len(story.rows(seen_jtis)) == 1
    with story.units.engine.connect() as conn:
        assert len(conn.execute(select(records)).all()) == 3  # ask, fetch, reply


def test_what_concerns_an_erased_citizen_is_not_sent(story, provider, worker, units):
    story.post(question("one", 1, parcel("a")), question("two", 2, parcel("b")))
    units.vault.erase(story.row("one").handle)
    assert worker.run_once() == 1
    assert [ask["login_hint"] for ask in provider.asks] == [citizen(2)]
    assert worker.run_once() == 0
