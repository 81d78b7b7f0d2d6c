"""The command as an operator runs it: a start with nothing, a bad start in one sentence, an orderly end, workers."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from confirm_api.audit import checkpoint
from confirm_api.commands import serve
from confirm_api.dev import prepare
from exchange.ids import new_id
from exchange.sealed.keys import Directory, JwkSet, KeySet, Own, Peer
from exchange.sealed.open import open_sealed
from exchange.sealed.seal import seal
from tests.confirm_api.live_service import HTTP

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from confirm_api.commands import serve; serve()"]


@contextmanager
def running(*arguments, ready_file, **environment):
    """The service as a process of its own: its address and its pid."""
    told = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    ready_file.unlink(missing_ok=True)
    with subprocess.Popen(
        [*COMMAND, *map(str, arguments)], env=told, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as it:
        try:
            for _ in range(600):
                if ready_file.exists() or it.poll() is not None:
                    break
                time.sleep(0.05)
            assert ready_file.exists(), it.communicate()[1].decode()
            yield json.loads(ready_file.read_text())["url"], it
        finally:
            if it.poll() is None:
                it.terminate()
            it.communicate(timeout=60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("dev")).parent


def test_with_a_folder_alone_it_serves_every_party_and_ends_in_order(folder):
    with running("--dev", folder, "--port", 0, ready_file=folder / "service.ready.json") as (url, process):
        assert HTTP.get(f"{url}/health/ready").json()["status"] == "ready"
        assert collect(folder, url) == []
        note = HTTP.get(f"{url}/v1/log/checkpoint").text
        assert checkpoint.open_note(note, HTTP.get(f"{url}/v1/log/key").text)
        assert JwkSet.parse(HTTP.get(f"{url}/.well-known/jwks.json").content).suites
        process.terminate()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.decode() == f"quychu serve listens on {url}\n"
    lines = [json.loads(line) for line in err.decode().splitlines() if line.startswith("{")]
    assert {"route": "/v1/answers", "status": 200}.items() <= lines[-4].items() | lines[-3].items() | lines[-5].items()


def collect(folder, url):
    """What the engine of the folder collects."""
    engine = Own("urn:quychu:peer:engine", KeySet.load(folder / "engine.keys.json"))
    jwks = JwkSet.parse(HTTP.get(f"{url}/.well-known/jwks.json").content)
    service = Peer("service", "service", "urn:quychu:peer:service", jwks, "vn-p256")
    now = int(time.time())
    sealed = seal({"after": None, "limit": 10}, typ="landcollect+jwt", own=engine, peer=service, now=now)
    response = HTTP.post(f"{url}/v1/answers", content=sealed.body, headers={"Content-Type": "application/jose"})
    assert response.status_code == 200, response.content
    told = {"typ": "landanswers+jwt", "own": engine, "directory": Directory([service]), "roles": ["service"]}
    return open_sealed(response.content, now=now, re=sealed.jti, **told).payload["answers"]


def test_several_workers_share_the_port_the_log_and_the_counters(folder):
    ready = folder / "many.json"
    with running("--dev", folder, "--port", 0, "--workers", 2, "--ready-file", ready, ready_file=ready) as (
        url,
        process,
    ):
        assert json.loads(ready.read_text())["pid"] == process.pid
        for _ in range(5):
            assert collect(folder, url) == []
        text = HTTP.get(f"{url}/metrics").text
        process.terminate()
        process.communicate(timeout=60)
    assert 'quychu_messages_total{outcome="accepted",typ="landcollect"} 5.0' in text
    assert process.returncode == 0


def test_a_worker_that_is_killed_is_replaced_and_a_killed_parent_takes_its_workers_along(folder):
    ready = folder / "killed.json"
    with running("--dev", folder, "--port", 0, "--workers", 2, "--ready-file", ready, ready_file=ready) as (
        url,
        process,
    ):
        first = _children(process.pid)
        os.kill(first[0], signal.SIGKILL)
        assert HTTP.get(f"{url}/health/live").status_code == 200
        assert _until(lambda: len(_children(process.pid)) == 2 and _children(process.pid) != first)
        now = _children(process.pid)
        process.kill()
        assert _until(lambda: not any(_lives(pid) for pid in now))


_TOLD_TO_END_AT_ITS_START = """
import os, pathlib, signal, sys
from confirm_api import serve

whole = serve.assemble

def assemble(*told):
    os.kill(os.getpid(), signal.SIGTERM)
    return whole(*told)

serve.assemble = assemble
serve.run(pathlib.Path(sys.argv[1]), port=0)
"""


def test_told_to_end_while_it_starts_it_ends_in_order(folder):
    command = [sys.executable, "-c", _TOLD_TO_END_AT_ITS_START, folder / "confirm_api.toml"]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, timeout=60, check=False)
    assert done.returncode == 0


def _children(pid):
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False).stdout
    return sorted(int(text) for text in found.split())


def _lives(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return state.rpartition(")")[2].split()[0] != "Z"


def _until(holds, seconds=30):
    for _ in range(seconds * 10):
        if holds():
            return True
        time.sleep(0.1)
    return False


def test_after_a_restore_messages_wait_and_the_log_answers(folder):
    ready = folder / "restored.json"
    with running("--dev", folder, "--port", 0, "--after-restore", "--ready-file", ready, ready_file=ready) as (url, _):
        response = HTTP.post(f"{url}/v1/answers", content=b"x", headers={"Content-Type": "application/jose"})
        assert response.status_code == 503
        assert 55 <= int(response.headers["retry-after"]) <= 70
        assert HTTP.get(f"{url}/v1/log/key").status_code == 200


def test_endless_headers_end_the_connection(folder):
    ready = folder / "headers.json"
    with running("--dev", folder, "--port", 0, "--no-worker", "--ready-file", ready, ready_file=ready) as (url, _):
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as wire:
            wire.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\nX: ")
            wire.settimeout(10)
            answer = _pour(wire)
        assert answer.startswith(b"HTTP/1.1 431")
        assert HTTP.get(f"{url}/health/live", headers={"X": "a" * 40_000}).status_code == 431
        assert HTTP.get(f"{url}/health/live").status_code == 200


def _pour(wire):
    try:
        for _ in range(200):
            wire.sendall(b"a" * 10_000)
            time.sleep(0.005)
    except OSError:
        pass
    try:
        return wire.recv(100)
    except OSError:
        return b"HTTP/1.1 431 (reset before it was read)"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"port = 8600": "port = 86000"}, "service.port"),
        ({"[audit]": "[audits]"}, "'audit'"),
        ({'key = "log.key"': 'key = "lost.key"'}, "lost.key"),
        ({"sqlite:///main.sqlite": "mysql://x"}, "'mysql'"),
        ({"service.keys.json": "engine.keys.json"}, "peers[0].jwks"),
    ],
)
def test_a_bad_start_is_one_sentence_and_exit_code_1(folder, change, why):
    text = (folder / "confirm_api.toml").read_text()
    for old, new in change.items():
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "bad.toml").write_text(text)
    result = CliRunner().invoke(serve, ["--config", str(folder / "bad.toml"), "--port", "0"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert why in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_port_that_is_taken_is_one_sentence_and_exit_code_1(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(serve, ["--config", str(folder / "confirm_api.toml"), "--port", port])
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert port in result.stderr


@pytest.mark.parametrize("arguments", [[], ["--config", "a", "--dev", "b"], ["--workers", "0", "--dev", "b"]])
def test_wrong_usage_is_exit_code_2(arguments):
    assert CliRunner().invoke(serve, arguments).exit_code == 2


def test_the_help_shows_an_example():
    assert "quychu serve --dev" in CliRunner().invoke(serve, ["--help"]).stdout


def test_what_is_in_the_folder_stays_and_what_lacks_is_made(tmp_path):
    settings = prepare(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    (tmp_path / "police.keys.json").unlink()
    assert prepare(tmp_path) == settings
    changed = {name for name, content in before.items() if (tmp_path / name).read_bytes() != content}
    assert changed == {"police.keys.json", "police.jwks.json"}


# ---- failpoints ----


def test_killed_between_commit_and_answer_the_effect_stays_and_the_repetition_is_harmless(folder):
    ready = folder / "failpoint.json"
    told = ["--dev", folder, "--port", 0, "--no-worker", "--ready-file", ready]
    engine = Own("urn:quychu:peer:engine", KeySet.load(folder / "engine.keys.json"))
    with running(*told, ready_file=ready, QUYCHU_FAILPOINT="accept") as (url, process):
        jwks = JwkSet.parse(HTTP.get(f"{url}/.well-known/jwks.json").content)
        service = Peer("service", "service", "urn:quychu:peer:service", jwks, "vn-p256")
        payload = {"batch_id": new_id(), "question_ids": [new_id()], "reason": "a reason"}
        sealed = seal(payload, typ="landwithdraw+jwt", own=engine, peer=service, now=int(time.time()))
        with pytest.raises(Exception, match=r"disconnected|reset|closed|EOF"):
            HTTP.post(f"{url}/v1/questions/withdraw", content=sealed.body, headers={"Content-Type": "application/jose"})
        assert process.wait(20) == -signal.SIGKILL
    ready.unlink()
    with running(*told, ready_file=ready) as (url, _):
        again = HTTP.post(
            f"{url}/v1/questions/withdraw", content=sealed.body, headers={"Content-Type": "application/jose"}
        )
        assert again.status_code == 400, "its jti is spent: what was committed stayed"


def test_a_failpoint_of_another_name_stops_the_start(folder):
    told = os.environ | {"PYTHONPATH": str(ROOT), "QUYCHU_FAILPOINT": "acept"}
    done = subprocess.run([*COMMAND, "--dev", str(folder)], env=told, capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1].startswith("QUYCHU_FAILPOINT: expected one of")
