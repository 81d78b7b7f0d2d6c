"""The servers of the kill rounds: started, killed from outside or by a failpoint; what each round does.

Rules
- A start is one line to the process that the server comes from (`kill_process.py`), then the ready file.
- `kill` is SIGKILL by the id of the process that was started. Nothing is tidied.
- The plan of the rounds is drawn once from the seed: each failpoint, the service from outside, the service while it
  starts, the provider, both at once; where there are two services, the second one and both of them.

Worked example: `plan(200, random.Random(1), services=1)[0]` is `Round(kind="send", passing=3, after_seconds=0.41)`.
"""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from confirm_api.failpoints import POINTS
from quychu.circle.world import World, free_ports

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 60.0
STOP_SECONDS = 30.0
FAILPOINT_SECONDS = 10.0
"""A failpoint that is not reached for so long is given up, and the process killed from outside."""
LONGEST_LIFE_SECONDS = 1.5
MOST_PASSINGS = {"send": 8}
SHARES = {"service": 20, "starting": 6, "provider": 14, "both": 12, **dict.fromkeys(POINTS, 8)}
SHARES_OF_TWO = {"second": 10, "services": 8}


class ServerError(RuntimeError):
    """A server did not start, or did not end."""


@dataclass(frozen=True)
class Round:
    """What is killed in a round, and when."""

    kind: str
    passing: int
    """Of a failpoint: at which passing."""
    after_seconds: float
    """From outside: how long after the start."""

    @property
    def failpoint(self) -> str:
        """As the service takes it."""
        return f"{self.kind}:{self.passing}" if self.kind in POINTS else ""


def plan(rounds: int, chance: random.Random, *, services: int) -> list[Round]:
    """The rounds in their order: every kind in its share, at least once where there are rounds enough."""
    shares = SHARES | (SHARES_OF_TWO if services > 1 else {})
    order = list(shares)
    chance.shuffle(order)
    many = sum(shares.values())
    kinds = [kind for kind in order for _ in range(max(1, round(rounds * shares[kind] / many)))]
    while len(kinds) < rounds:
        kinds.append(chance.choice(order))
    kinds = kinds[:rounds] if rounds < len(order) else _thinned(kinds, rounds, chance)
    chance.shuffle(kinds)
    return [_round(kind, chance) for kind in kinds]


def _thinned(kinds: list[str], rounds: int, chance: random.Random) -> list[str]:
    """So many of them, without losing a kind."""
    left = list(kinds)
    while len(left) > rounds:
        left.remove(chance.choice([kind for kind in set(left) if left.count(kind) > 1]))
    return left


def _round(kind: str, chance: random.Random) -> Round:
    return Round(kind, chance.randint(1, MOST_PASSINGS.get(kind, 4)), chance.uniform(0, LONGEST_LIFE_SECONDS))


@dataclass
class Server:
    """One server, again and again, always on the same data."""

    name: str
    words: list[str]
    ready_file: Path
    log: Path
    pid: int | None = None
    """Of the server that runs."""
    code: int | None = None
    """With which the last one ended."""
    failpoint: str = ""
    starts: int = 0
    _source: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        if self.pid is not None and self._heard(0):
            self._end()
        return self.pid is not None

    def begin(self, failpoint: str = "") -> None:
        """Start it, without waiting."""
        self.ready_file.unlink(missing_ok=True)
        source = self._source = self._source or self._imported()
        assert source.stdin is not None
        source.stdin.write(f"{failpoint}\n".encode())
        self.pid, self.code, self.failpoint = self._number(START_SECONDS), None, failpoint
        self.starts += 1

    def start(self, failpoint: str = "") -> None:
        """Start it, and wait until it listens or has died at its failpoint."""
        self.begin(failpoint)
        give_up = time.monotonic() + START_SECONDS
        while not self.ready_file.exists():
            if not self.alive:
                if not failpoint:
                    raise ServerError(f"{self.name}: ended while it started; see {self.log}")
                return
            if time.monotonic() > give_up:
                raise ServerError(f"{self.name}: does not listen; see {self.log}")
            time.sleep(0.01)

    def kill(self) -> None:
        """As a power cut does."""
        if self.alive and self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)
            self._end()

    def stop(self) -> int | None:
        """Politely; its exit code."""
        if self.alive and self.pid is not None:
            os.kill(self.pid, signal.SIGTERM)
            self._end()
        return self.code

    def close(self) -> None:
        """End what still runs."""
        self.kill()
        if self._source is not None:
            self._source.kill()
            self._source.communicate()

    def _end(self) -> None:
        self.pid, self.code = None, self._number(STOP_SECONDS)

    def _imported(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "benchmarks.tools.kill_process", *self.words]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command, cwd=ROOT, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )

    def _heard(self, seconds: float) -> bool:
        assert self._source is not None
        assert self._source.stdout is not None
        return bool(select.select([self._source.stdout], [], [], seconds)[0])

    def _number(self, seconds: float) -> int:
        assert self._source is not None
        assert self._source.stdout is not None
        if not self._heard(seconds) or not (line := self._source.stdout.readline()):
            raise ServerError(f"{self.name}: expected a word within {seconds:.0f} s; see {self.log}")
        return int(line)


@dataclass
class Servers:
    """All servers of a world."""

    service: Server
    provider: Server
    second: Server | None = None

    @property
    def services(self) -> list[Server]:
        """The one or two services."""
        return [self.service] if self.second is None else [self.service, self.second]

    def start(self) -> None:
        """Start what does not run; a service that waits at a failpoint is killed first."""
        for service in self.services:
            if service.alive and service.failpoint:
                service.kill()
        for server in (self.provider, *self.services):
            if not server.alive:
                server.start()

    def close(self) -> None:
        """End them all."""
        for server in (*self.services, self.provider):
            server.close()


def servers_of(world: World, *, services: int) -> Servers:
    """The servers, not started."""
    folder = world.folder

    def server(name: str, command: str, settings: Path, *more: str) -> Server:
        ready = folder / f"{name}.ready.json"
        return Server(name, [command, str(settings), str(ready), *more], ready, folder / f"{name}.log")

    service = server("service", "serve", world.service_config)
    provider = server("provider", "vneid-sim", world.provider_config)
    if services == 1:
        return Servers(service, provider)
    return Servers(service, provider, server("second", "serve", world.service_config, str(free_ports(1)[0])))


def play(servers: Servers, now: Round) -> str:
    """One round: everything runs, then something dies; what died how."""
    if servers.service.alive and servers.service.failpoint != now.failpoint:
        servers.service.kill()
    if now.kind in POINTS:
        return _at_failpoint(servers, now)
    servers.start()
    if now.kind == "starting":
        servers.service.kill()
        servers.service.begin()
        time.sleep(now.after_seconds / 2)
        servers.service.kill()
        return now.kind
    time.sleep(now.after_seconds)
    victims = {
        "service": [servers.service],
        "provider": [servers.provider],
        "both": [servers.provider, *servers.services],
        "second": servers.services[1:],
        "services": servers.services,
    }
    for victim in victims[now.kind]:
        victim.kill()
    return now.kind


def _at_failpoint(servers: Servers, now: Round) -> str:
    others = [servers.provider, *servers.services[1:]]
    for server in others:
        if not server.alive:
            server.start()
    if not servers.service.alive:
        servers.service.start(now.failpoint)
    give_up = time.monotonic() + FAILPOINT_SECONDS
    while servers.service.alive and time.monotonic() < give_up:
        time.sleep(0.01)
    if servers.service.alive:
        servers.service.kill()
        return f"{now.kind}, not reached"
    if servers.service.code != -signal.SIGKILL:
        raise ServerError(f"service: expected SIGKILL at {now.failpoint}, found exit code {servers.service.code}")
    return now.kind
