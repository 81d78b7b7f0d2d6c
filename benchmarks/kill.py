"""kill -9: what is left of service and provider after hundreds of sudden deaths, and whether anything was lost.

python benchmarks/kill.py [--rounds 200] [--databases sqlite,postgresql] [--check-every 25] [--seed 1] [--json FILE]

Rules
- Each round something dies by SIGKILL: the service from outside at a random moment, while it starts, or by itself at
  one of its failpoints (accept, send, ping, fetch, store, settle) at a random passing; the provider; both. On
  PostgreSQL two services share the database, and the second one or both of them die as well.
- The same world lives through all rounds, under steady traffic (`benchmarks/tools/kill_traffic.py`) and a provider that
  loses pings and answers, sends twice, out of order, or 500.
- Every so many rounds the traffic pauses until nothing is under way, the service ends in order, and the checker
  (`benchmarks/tools/kill_checks.py`) reads both sides' databases. In the end every open question is withdrawn, so that
  every question has to have ended.
- The world's own waits are short (`benchmarks/tools/kill_process.py`); everything else is as delivered.
- The exit code is 1 where protocol §5 was violated.

Worked example: `PASS violations on sqlite: 0 (target: at most 0)`.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.tools.figures import Target, table, write_json
from benchmarks.tools.kill_checks import check, unquiet
from benchmarks.tools.kill_records import Records, Stores, keep, read, stores_of
from benchmarks.tools.kill_servers import Servers, plan, play, servers_of
from benchmarks.tools.kill_traffic import Citizens, Engine, Ledger, Traffic, channel_of
from confirm_api.failpoints import POINTS
from confirm_api.vneid_sim.driver import DriverClient
from quychu.circle.world import Told, World, lay_out
from scripts.local_postgres import database_url, driver_url, local_postgres

DATABASES = ("sqlite", "postgresql")
QUIET_SECONDS = 120.0
FAULTS = {
    "error_share": 0.02,
    "lost_answer_share": 0.03,
    "wrong_signature_share": 0.01,
    "lost_ping_share": 0.1,
    "double_ping_share": 0.1,
    "reordered_share": 0.05,
    "reordered_seconds": [0.1, 1.0],
}
RETRY_SECONDS = [0, 3, 5, *[2] * 300]
"""Of the provider's own messages: none is given up while the service is down."""
LONGEST_REQUEST_DAYS = 40 / 86_400
"""A request in the app ends after 40 s: whoever says nothing is asked again in a new attempt."""


@dataclass
class Figures:
    """What one database went through."""

    database: str
    rounds: int = 0
    kills: dict[str, int] = field(default_factory=dict)
    checks: int = 0
    violations: int = 0
    questions: int = 0
    asks: int = 0
    attempts: int = 0
    replies: int = 0
    late_replies: int = 0
    revisions: int = 0
    declarations: int = 0
    entries: int = 0
    leaves: int = 0
    messages: int = 0
    dead_letters: int = 0
    duplicates: int = 0
    ended: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    sentences: list[str] = field(default_factory=list)


class NotQuietError(RuntimeError):
    """Something is under way for ever."""


@dataclass
class Trial:
    """One world on one database, through all its rounds."""

    world: World
    servers: Servers
    stores: Stores
    traffic: Traffic
    figures: Figures
    say: Callable[[str], None]
    both: Records | None = None
    """What the last check read."""
    quiet_at: int = 0
    """When nothing was under way for the last time."""

    def run(self, rounds: int, chance: random.Random, check_every: int) -> None:
        """All rounds, then the end of everything."""
        kinds: Counter[str] = Counter()
        self.traffic.start()
        for number, now in enumerate(plan(rounds, chance, services=len(self.servers.services)), 1):
            kinds[play(self.servers, now)] += 1
            self.figures.rounds = number
            if number % check_every == 0 or number == rounds:
                self._check(f"after {number} rounds", end=number == rounds)
            if self.figures.violations:
                break
        self.figures.kills = dict(kinds.most_common())

    def _check(self, when: str, *, end: bool) -> None:
        self.servers.start()
        with self.traffic.paused():
            waited = self._finish() if end else self._settle()
            key, quiet_at = self.stores.settings.log_key(), self.quiet_at
            for service in self.servers.services:
                if code := service.stop():
                    self.traffic.ledger.faults.append(f"{service.name}: its orderly end had exit code {code}")
            both = self.both = read(self.stores)
            found = sorted(set(check(both, self.traffic.ledger, key, quiet_at, int(time.time()))))
            if end:
                found += [f"question: has not ended ({row.question_id})" for row in _not_ended(both)]
            if waited:
                found.append(f"not quiet: {waited}")
            if end or found:
                self.traffic.end()
        self._note(both, found)
        self.say(f"{self.figures.database}: {when}: {len(both.leaves):,} leaves, {len(found)} violations")
        for sentence in found[:20]:
            self.say(f"    {sentence}")
        if found:
            keep(both, self.world.folder / "evidence.json")

    def _finish(self) -> str | None:
        """Withdraw what can be, and let citizens answer the rest, until nobody is asked any more."""
        self._settle()
        known = self.traffic.ledger.accepted()
        for start in range(0, len(known), 500):
            self.traffic.engine.withdraw(known[start : start + 500])
        waited = self._settle()
        while waited is None and self.traffic.citizens.finish():
            waited = self._settle()
        return waited

    def _settle(self) -> str | None:
        """Wait until nothing is under way and all of it is collected; what still is when patience ends."""
        give_up = time.monotonic() + QUIET_SECONDS
        while True:
            self.quiet_at = int(time.time())
            what = unquiet(read(self.stores), self.quiet_at)
            if what is None or time.monotonic() > give_up:
                break
            time.sleep(0.5)
        self.traffic.engine.collect()
        return what

    def _note(self, both: Records, found: Sequence[str]) -> None:
        figures, rows = self.figures, both.service
        figures.checks += 1
        figures.violations += len(found)
        figures.sentences += found[:100]
        figures.questions, figures.attempts = len(rows["questions"]), len(rows["attempts"])
        figures.asks, figures.replies = len(rows["asks"]), len(rows["replies"])
        figures.late_replies = sum(row.late for row in rows["replies"])
        figures.revisions, figures.declarations = len(rows["revisions"]), len(rows["declarations"])
        figures.entries, figures.leaves = len(rows["feed"]), len(rows["leaves"])
        figures.messages = sum(leaf.sealed is not None for leaf in both.leaves)
        figures.duplicates = sum(leaf.outcome == "duplicate" for leaf in both.leaves)
        figures.dead_letters = sum(row.state == "dead" for row in rows["deliveries"])
        figures.ended = dict(Counter(row.state for row in rows["items"]).most_common())


def _not_ended(both: Records) -> list[Any]:
    return [row for row in both.service["questions"] if row.state != "ended"]


# ---- a world -------------------------------------------------------------------------------------------------------


@contextmanager
def told_of(database: str) -> Iterator[Told]:
    """The settings of a world on this database; PostgreSQL is a server of our own, with fsync."""
    common: dict[str, Any] = {
        "service": {"logs": {"level": "error"}},
        "provider": {
            "faults": FAULTS,
            "outbox": {"retry_seconds": RETRY_SECONDS},
            "provider": {"interval_seconds": 1, "longest_request_days": LONGEST_REQUEST_DAYS},
        },
    }
    if database == "sqlite":
        yield Told(**common)
        return
    with local_postgres(durable=True) as url:
        for name in ("kill_main", "kill_keys"):
            with psycopg.connect(driver_url(url), autocommit=True) as conn:
                conn.execute(f"CREATE DATABASE {name}")
        yield Told(database=database_url(url, "kill_main"), key_store=database_url(url, "kill_keys"), **common)


@contextmanager
def trial(
    database: str, folder: Path, seed: int, *, services: int, pause_seconds: float, say: Callable[[str], None]
) -> Iterator[Trial]:
    """A world with its servers running, and everything that acts on it."""
    with ExitStack() as stack:
        world = lay_out(folder, stack.enter_context(told_of(database)))
        servers = servers_of(world, services=services)
        stack.callback(servers.close)
        servers.start()
        stores = stores_of(world)
        stack.callback(stores.close)
        ledger = Ledger()
        chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
        engine = Engine(channel_of(world, ledger), ledger, random.Random(chance.random()))  # noqa: S311 - as above
        driver = DriverClient.of_ready_file(servers.provider.ready_file.read_text("utf-8"))
        citizens = Citizens(driver, ledger, random.Random(chance.random()))  # noqa: S311 - as above
        traffic = Traffic(engine, citizens, pause_seconds=pause_seconds)
        stack.callback(traffic.close)
        yield Trial(world, servers, stores, traffic, Figures(database), say)


def measure(  # noqa: PLR0913 - the options of the command
    database: str,
    folder: Path,
    *,
    rounds: int,
    check_every: int,
    seed: int,
    services: int,
    pause_seconds: float = 0.1,
    say: Callable[[str], None] = print,
) -> Figures:
    """All rounds on one database."""
    began = time.monotonic()
    with trial(database, folder, seed, services=services, pause_seconds=pause_seconds, say=say) as one:
        one.run(rounds, random.Random(seed), check_every)  # noqa: S311 - repeatable, not secret
        one.figures.seconds = time.monotonic() - began
        return one.figures


# ---- the command ---------------------------------------------------------------------------------------------------

ROWS = {
    "rounds": "rounds",
    "checks": "checks",
    "questions": "questions accepted",
    "attempts": "requests in the app",
    "asks": "asks sent",
    "replies": "replies stored",
    "late_replies": "of them late",
    "revisions": "answers changed",
    "declarations": "declarations",
    "messages": "sealed messages in the log",
    "duplicates": "messages repeated",
    "dead_letters": "dead letters",
    "entries": "entries collected",
    "leaves": "leaves",
    "seconds": "seconds",
    "violations": "violations",
}


def report(found: Sequence[Figures]) -> str:
    """The figures side by side."""
    rows = [("", *(one.database for one in found))]
    rows += [(title, *(f"{getattr(one, name):,.0f}" for one in found)) for name, title in ROWS.items()]
    kinds = dict.fromkeys(kind for one in found for kind in one.kills)
    rows += [(_kind(kind), *(f"{one.kills.get(kind, 0):,}" for one in found)) for kind in sorted(kinds)]
    states = dict.fromkeys(state for one in found for state in one.ended)
    rows += [(f"items {state}", *(f"{one.ended.get(state, 0):,}" for one in found)) for state in sorted(states)]
    return table(rows)


def _kind(kind: str) -> str:
    return f"killed at {kind}" if kind.partition(",")[0] in POINTS else f"killed from outside: {kind}"


def main() -> int:
    """Measure, print, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--databases", default=",".join(DATABASES))
    parser.add_argument("--check-every", type=int, default=25)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, help="keep the worlds here, to look at afterwards")
    parser.add_argument("--json", type=Path)
    told, _ = parser.parse_known_args()
    found = []
    with tempfile.TemporaryDirectory(prefix="quychu-kill-") as temporary:
        for database in told.databases.split(","):
            folder = (told.work or Path(temporary)) / database
            services = 2 if database == "postgresql" else 1
            found.append(
                measure(
                    database,
                    folder,
                    rounds=told.rounds,
                    check_every=told.check_every,
                    seed=told.seed,
                    services=services,
                )
            )
    print(report(found))
    for one in found:
        print(Target(f"violations on {one.database}", one.violations, 0, "at most", ".0f").verdict())
    write_json(told.json, [asdict(one) for one in found])
    return 1 if any(one.violations for one in found) else 0


if __name__ == "__main__":
    sys.exit(main())
