"""`quychu vneid-sim` as a process: it starts, says where it is, refuses bad settings, and survives being killed."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import stat
import threading

import pytest
from click.testing import CliRunner

from confirm_api.vneid_sim.commands import vneid_sim
from confirm_api.vneid_sim.driver import DriverClient, DriverError, step
from exchange.errors import NoAnswer
from exchange.sealed.keys import KeySet
from tests.confirm_api.vneid_sim.world import Process, Service, ask, item, wait_for


@pytest.fixture
def process(tmp_path):
    service = Service()
    found = Process(tmp_path / "sim", service)
    with contextlib.closing(service):
        found.start()
        yield found
        found.stop()


def test_a_trial_needs_nothing_but_a_folder_and_tells_where_it_is(process):
    ready = process.folder / "ready.json"
    assert process.ready.keys() == {"url", "app", "pid", "driver_token"}
    assert stat.S_IMODE(ready.stat().st_mode) == 0o600
    client = DriverClient.of_ready_file(ready.read_text())
    message = ask([item()])
    auth_req_id = process.service.id_of(message)
    decided = []

    def decide(request) -> list:
        decided.append(request)
        return [{"item_id": one["item_id"], "verdict": "mine"} for one in request["items"]]

    assert step(client, decide) == 1
    assert decided[0]["items"] == message["ask"]["items"]
    assert process.service.fetched(auth_req_id)["question_id"] == message["ask"]["question_id"]
    assert step(client, decide) == 0


def test_what_was_acknowledged_survives_kill_9_at_any_moment(process):
    """A checker that reads the simulator's database, not its log."""
    chance, service = random.Random(5), process.service
    taken: dict[str, str] = {}
    answered: dict[str, str] = {}
    for _round in range(6):
        power_cut = threading.Timer(chance.uniform(0.05, 0.5), process.kill)
        power_cut.start()
        with contextlib.suppress(NoAnswer, DriverError):
            while True:
                message = ask([item()])
                auth_req_id = service.id_of(message)
                taken[auth_req_id] = message["ask"]["question_id"]
                verdict = chance.choice(("mine", "not_mine", "unsure"))
                said = [{"item_id": message["ask"]["items"][0]["item_id"], "verdict": verdict}]
                if process.driver.answer([{"auth_req_id": auth_req_id, "answers": said}]) == ["ok"]:
                    answered[auth_req_id] = verdict
        power_cut.join()
        process.start()
    assert len(answered) > 20
    for auth_req_id, verdict in answered.items():
        reply = service.fetched(auth_req_id)
        assert reply["answers"][0]["verdict"] == verdict
        assert reply["question_id"] == taken[auth_req_id]
    wait_for(lambda: set(answered) <= {one for one, _ in service.pings})
    with sqlite3.connect(process.folder / "vneid_sim.sqlite3") as conn:
        kept = {one for (one,) in conn.execute("SELECT auth_req_id FROM requests")}
        replies = [one for (one,) in conn.execute("SELECT auth_req_id FROM replies")]
        assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert set(taken) <= kept
    assert set(answered) <= set(replies)
    assert len(replies) == len(set(replies))


def told(tmp_path, text: str) -> str:
    config = tmp_path / "sim.toml"
    config.write_text(text)
    result = CliRunner().invoke(vneid_sim, ["--config", str(config)])
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    return result.output


def test_a_bad_setting_or_key_stops_the_start_with_one_sentence(tmp_path):
    peer = '[service]\njwks = "service.jwks.json"\nurl = "http://127.0.0.1:1"\n'
    assert "unknown key" in told(tmp_path, f'colour = "red"\n{peer}')
    assert "service" in told(tmp_path, "")
    assert "TOML" in told(tmp_path, "= 3")
    assert "vneid.keys.json" in told(tmp_path, peer)
    KeySet.generate().save(tmp_path / "vneid.keys.json")
    assert "service.jwks.json" in told(tmp_path, peer)
    (tmp_path / "service.jwks.json").write_bytes(KeySet.generate().public().to_json())
    assert "https" in told(tmp_path, peer.replace("http://127.0.0.1:1", "http://service.example"))
    assert "driver.token" in told(tmp_path, f'{peer}[driver]\ntoken = "short"\n')
    assert "cannot listen" in told(tmp_path, f'listen = "192.0.2.1:80"\n{peer}')


def test_wrong_usage_is_2():
    assert CliRunner().invoke(vneid_sim, []).exit_code == 2
    assert CliRunner().invoke(vneid_sim, ["--config", "a", "--dev", "b"]).exit_code == 2
