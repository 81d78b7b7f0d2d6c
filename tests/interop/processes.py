"""Our servers as an operator starts them: the command line, key files and settings written as text; nothing imported.

Rules
- Every server has keys of both suites in each status: `quychu keys make`, then one rotation, then the next key.
- A server is ready when its ready file is there; one that ends before says why in the error.
- Everything listens on loopback, on a port free when it was started; servers are ended by their process id.

Worked example:

    with simulator(folder, service_jwks, stub.url) as live:
        ...  # live.url, live.driver("state")
"""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.interop.second.keys import SUITES
from tests.interop.second.log_writer import LogWriter

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0
STOP_SECONDS = 20.0
PEERS = ("engine", "vneid", "police")
ORIGIN = "quychu.local/log"


def quychu(*words: object) -> str:
    """What a command prints; it must end well."""
    done = subprocess.run(
        _command(words), capture_output=True, text=True, env=_surroundings(), timeout=START_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _command(words: tuple[object, ...]) -> list[str]:
    return [sys.executable, "-m", "quychu.cli", *map(str, words)]


def _surroundings() -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    return {**os.environ, "PYTHONPATH": path}


def make_keys(file: Path) -> dict[str, Any]:
    """A private key file with active, next and verify-only keys of both suites; its public part."""
    _write_private(file, _keys_of_a_run())
    public: dict[str, Any] = json.loads(quychu("keys", "jwks", file))
    return public


@functools.cache
def _keys_of_a_run() -> str:
    """Made once: servers that never meet may have the same."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "keys.json"
        quychu("keys", "make", file, *(word for suite in SUITES for word in ("--suite", suite)))
        for suite in SUITES:
            for step in ("add-next", "activate", "add-next"):
                quychu("keys", "rotate", file, "--step", step, "--suite", suite)
        return file.read_text()


@dataclass
class Live:
    """A running server."""

    url: str
    folder: Path
    process: subprocess.Popen[bytes]
    token: str = ""

    @property
    def log(self) -> Path:
        """What it wrote."""
        return self.folder / "server.log"

    def driver(self, call: str, body: Any = None) -> Any:
        """One call of the simulator's driver API."""
        request = urllib.request.Request(
            f"{self.url}/driver/{call}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise AssertionError(f"driver/{call} answered {error.code} {error.read()[:300]!r}") from error


@contextlib.contextmanager
def started(folder: Path, *words: object) -> Iterator[Live]:
    """A server, from its start to an orderly end."""
    ready, log = folder / "ready.json", folder / "server.log"
    ready.unlink(missing_ok=True)
    with log.open("ab") as told:
        process = subprocess.Popen(
            _command((*words, "--ready-file", ready)),
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=told,
            env=_surroundings(),
        )
    try:
        said = _wait(process, ready, log)
        yield Live(said["url"], folder, process, said.get("driver_token", ""))
    finally:
        _end(process)


def _wait(process: subprocess.Popen[bytes], ready: Path, log: Path) -> dict[str, Any]:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if ready.exists():
            said: dict[str, Any] = json.loads(ready.read_text())
            return said
        if process.poll() is not None:
            raise AssertionError(f"it ended with {process.returncode}: {log.read_text()[-2000:]}")
        time.sleep(0.02)
    raise AssertionError(f"not ready within {START_SECONDS:g} s: {log.read_text()[-2000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_SECONDS)


@contextlib.contextmanager
def simulator(folder: Path, service_jwks: dict[str, Any], service_url: str) -> Iterator[Live]:
    """`quychu vneid-sim` towards this service, with its driver API on; its public keys are in `vneid.jwks.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "service.jwks.json").write_text(json.dumps(service_jwks))
    (folder / "vneid.jwks.json").write_text(json.dumps(make_keys(folder / "vneid.keys.json")))
    settings = folder / "vneid_sim.toml"
    settings.write_text(_SIMULATOR.format(url=service_url, token=secrets.token_urlsafe(32)))
    with started(folder, "vneid-sim", "--config", settings) as live:
        yield live


_SIMULATOR = """
listen = "127.0.0.1:0"
keys = "vneid.keys.json"

[service]
jwks = "service.jwks.json"
url = "{url}"

[provider]
interval_seconds = 1

[driver]
token = "{token}"
"""


@contextlib.contextmanager
def service(folder: Path, vneid_url: str, suite: str, *words: object) -> Iterator[Live]:
    """`quychu serve` for the peers whose public keys lie in `folder`; its own are in `service.jwks.json`."""
    (folder / "service.jwks.json").write_text(json.dumps(make_keys(folder / "service.keys.json")))
    for name in ("master", "index"):
        _write_private(folder / f"{name}.key", _text(secrets.token_bytes(32)))
    _write_private(folder / "log.key", LogWriter(ORIGIN).private_key())
    peers = [_PEER.format(name=name, suite=suite) for name in PEERS]
    settings = folder / "confirm_api.toml"
    settings.write_text(_SERVICE + "".join(peers).replace('name = "vneid"', f'name = "vneid"\nurl = "{vneid_url}"'))
    with started(folder, "serve", "--config", settings, *words) as live:
        yield live


def _write_private(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(f"{text}\n")


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


_SERVICE = """
[service]
keys = "service.keys.json"
port = 0

[database]
url = "sqlite:///main.sqlite"

[key_store]
url = "sqlite:///keys.sqlite"
master = { file = "master.key" }
index = { file = "index.key" }

[audit]
key = "log.key"

[worker]
count = 4
idle_seconds = 0.1

# Thousands of messages, most of them wrong on purpose, come from one address.
[limits]
most_waiting = 1000
address = { per_second = 10000, burst = 10000 }
refused = { per_second = 10000, burst = 10000 }
peer = { per_second = 10000, burst = 10000 }
"""
_PEER = """
[[peers]]
name = "{name}"
role = "{name}"
iss = "urn:quychu:peer:{name}"
jwks = "{name}.jwks.json"
suite = "{suite}"
"""
