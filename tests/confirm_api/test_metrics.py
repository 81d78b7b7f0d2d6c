"""What an operator sees, from real HTTP and a real database."""

import pytest

from confirm_api.app import create_app
from confirm_api.audit import log
from confirm_api.metrics import GAUGES_SECONDS, Watch, look
from confirm_api.store.tables import attempts, deliveries, leaves, questions
from tests.confirm_api.live_service import HTTP, LOG_KEY, Client, deps, served, withdraw_payload

PATH = "/v1/questions/withdraw"


def filled(units):
    question = {"question_id": "q", "handle": "h", "fingerprint": b"", "priority": 0.5, "accepted_at": 1}
    question |= {"expires_at": 2, "state": "sent", "binding_message": "ABCD-EFGH"}
    with units.begin() as unit:
        no = unit.conn.execute(questions.insert(), question).inserted_primary_key[0]
        attempt = {"question_no": no, "attempt": 1, "peer": "p", "state": "open", "item_ids": "[]", "begun_at": 1}
        at = unit.conn.execute(attempts.insert(), attempt | {"requested_expiry": 9}).inserted_primary_key[0]
        message = {"typ": "landask+jwt", "attempt_no": at, "due_at": 1}
        rows = [("waiting", unit.now - 40), ("waiting", unit.now), ("dead", 1), ("delivered", 1)]
        unit.conn.execute(
            deliveries.insert(), [message | {"state": state, "created_at": since} for state, since in rows]
        )
        unit.leaf("state", "accepted")


def test_the_gauges_tell_outbox_questions_and_log(units, clock):
    filled(units)
    clock.move(3)
    seen = {name: values for name, _, values in look(units.engine, clock())}
    assert seen == {
        "quychu_outbox_waiting": [({}, 2)],
        "quychu_outbox_oldest_seconds": [({}, 43)],
        "quychu_dead_letters": [({}, 1)],
        "quychu_questions": [({"state": "sent"}, 1)],
        "quychu_log_leaves": [({}, 0)],
        "quychu_log_unnumbered": [({}, 1)],
        "quychu_log_lag_seconds": [({}, 3)],
    }


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_the_database_is_not_looked_at_for_every_question(units, clock):
    watch = Watch(units.engine)
    before = watch.gauges(clock())
    with units.begin() as unit:
        unit.conn.execute(leaves.insert(), {"leaf": '{"time":0}'})
    assert watch.gauges(clock()) is before
    clock.move(GAUGES_SECONDS)
    assert watch.gauges(clock()) != before


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_messages_refusals_and_times_are_counted(units, clock, tmp_path):
    with served(create_app(deps(units, tmp_path))) as base:
        client = Client(base, clock)
        client.post(PATH, client.seal("landwithdraw+jwt", withdraw_payload()).body)
        client.post(PATH, b"nonsense")
        with units.begin() as unit:
            log.sequence(unit.conn, unit.now, LOG_KEY)
        text = HTTP.get(f"{base}/metrics").text
    for line in (
        'quychu_messages_total{outcome="accepted",typ="landwithdraw"} 1.0',
        'quychu_messages_total{outcome="refused",typ="landwithdraw"} 1.0',
        'quychu_refusals_total{check="2",typ="landwithdraw"} 1.0',
        'quychu_request_seconds_count{route="/v1/questions/withdraw",status="200"} 1.0',
        "quychu_log_leaves 4.0",
    ):
        assert line in text


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_metrics_are_for_loopback_and_not_for_what_a_proxy_brings(units, tmp_path):
    with served(create_app(deps(units, tmp_path))) as base:
        assert HTTP.get(f"{base}/metrics").status_code == 200
        assert HTTP.get(f"{base}/metrics", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 404
