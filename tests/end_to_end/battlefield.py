"""The real service and the real simulator over loopback, with all parties' keys in our hands, and a digest of what
either of them knows.

Rules
- `story` leaves a settled question, an open request and a declaration; then the service runs without its worker, so
  that nothing moves unless a message moves it.
- A digest covers every table of the service's databases but the log, and every table of the simulator's; what the
  sequencer numbers later is left aside.
- Whatever is planted is personal; none of it may stand in a log.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import sqlite3
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quychu.circle.world import Servers, Told, World, lay_out, servers_of
from tests.interop.second.caller import Caller
from tests.interop.second.engine import Engine, parcel, question
from tests.interop.second.envelope import Party, new_id
from tests.interop.second.vneid import verdict
from tests.interop.world import read_party

LOG_TABLES = {"leaves", "records", "tree_nodes", "checkpoints", "alembic_version", "sqlite_sequence"}
PLANTED = {
    "co_owner_name": "Đặng Thị Hồng Nhung",
    "hamlet": "Ấp Trảng Dầu",
    "certificate_serial": "QX 918273",
    "parcel_code": "482910773315",
}
RESPONSE = "8273"
WIDE = {"per_second": 100_000, "burst": 100_000}
NUMBERS = itertools.count(1)


def citizen() -> str:
    """A citizen nobody ever asked, by a number that nothing else holds."""
    return f"0790750{next(NUMBERS):05d}"


def land(**changes: Any) -> dict[str, Any]:
    """A parcel with everything planted."""
    return parcel(**PLANTED, **changes)


@dataclass
class Battlefield:
    """Both servers, and all parties' keys."""

    world: World
    servers: Servers
    parties: dict[str, Party] = field(default_factory=dict)

    def caller(self, role: str, suite: str) -> Caller:
        """One of the parties, posting to the other side."""
        peer, url = ("vneid", self.world.provider_url) if role == "service" else ("service", self.world.service_url)
        return Caller(self.parties[role], self.parties[peer], url, suite)

    def engine(self, suite: str = "vn-p256") -> Engine:
        """The engine."""
        return Engine(self.caller("engine", suite))

    def driver(self, call: str, body: Any = None) -> Any:
        """One call of the simulator's driver API."""
        told = json.loads(self.servers.driver())
        headers = {"Authorization": f"Bearer {told['driver_token']}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{told['url']}/driver/{call}", data, headers)) as answer:
            return json.load(answer)

    def open_requests(self, citizen_id: str) -> list[dict[str, Any]]:
        """What stands open in a citizen's app."""
        found = self.driver("requests")["requests"]
        return [request for request in found if request["citizen_id"] == citizen_id]

    def request_to(self, citizen_id: str) -> dict[str, Any]:
        """The open request to a citizen, once it is there."""
        until = time.monotonic() + 30
        while not (found := self.open_requests(citizen_id)):
            assert time.monotonic() < until, "the request did not come"
            time.sleep(0.05)
        return found[0]

    def states(self) -> dict[str, str]:
        """The newest state of each question."""
        return {entry["question_id"]: entry["state"] for entry in self.engine().collect_all()}

    def wait_for_state(self, question_id: str, state: str) -> None:
        """Wait until a question of one item has this end."""
        until = time.monotonic() + 30
        while self.states().get(question_id) != state:
            assert time.monotonic() < until, f"expected {state}, found {self.states().get(question_id)}"
            time.sleep(0.2)

    def digest(self) -> dict[str, str]:
        """A hash of the content of each table of both sides."""
        return {
            f"{file.stem}.{name}": found
            for file in sorted(self.world.folder.glob("*.sqlite3"))
            for name, found in _tables(file).items()
        }

    def logs(self) -> str:
        """All that both servers wrote."""
        return "".join(file.read_text("utf-8", "replace") for file in self.world.folder.glob("*.log"))


def _tables(file: Path) -> dict[str, str]:
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as conn:
        names = [name for (name,) in conn.execute("select name from sqlite_master where type = 'table'")]
        return {name: _hash(conn.execute(_content(conn, name))) for name in names if name not in LOG_TABLES}


def _content(conn: sqlite3.Connection, table: str) -> str:
    """All columns but the position, which the sequencer gives to a row of its own accord."""
    columns = [row[1] for row in conn.execute(f'pragma table_info("{table}")')]
    return f"select {', '.join(column for column in columns if column != 'position')} from {table}"


def _hash(rows: sqlite3.Cursor) -> str:
    return hashlib.sha256("\n".join(sorted(map(repr, rows))).encode()).hexdigest()[:16]


@contextlib.contextmanager
def battlefield(folder: Path, *, suite: str = "vn-p256", provider_url: str | None = None) -> Iterator[Battlefield]:
    """Both servers; the service finds the provider elsewhere where a url is given."""
    limits = {"limits": {"address": WIDE, "refused": WIDE, "peer": WIDE}, "worker": {"idle_seconds": 0.1}}
    told = Told(suite, service=limits, provider={"limits": {"per_address": 1e5, "per_peer": 1e5}})
    world = lay_out(folder, told)
    if provider_url is not None:
        settings = world.service_config.read_text("utf-8")
        world.service_config.write_text(settings.replace(world.provider_url, provider_url), "utf-8")
    here = Battlefield(world, servers_of(world))
    for role in ("service", "engine", "vneid", "police"):
        here.parties[role] = read_party(role, json.loads(world.keys(role).read_text("utf-8")))
    try:
        here.servers.provider.start()
        here.servers.service.start()
        yield here
    finally:
        here.servers.service.stop()
        here.servers.provider.stop()


@dataclass(frozen=True)
class Left:
    """What the story left."""

    settled: dict[str, Any]
    """The request of the question that is settled."""
    open: dict[str, Any]
    """The request that stands open."""
    open_question: str


def story(here: Battlefield) -> Left:
    """A settled question and an open one; then the worker rests."""
    first, second = citizen(), citizen()
    one, two = question(first, land()), question(second, land())
    assert len(here.engine().post(one, two)["accepted"]) == 2
    settled, waiting = here.request_to(first), here.request_to(second)
    answers = [verdict(settled["items"][0]["item_id"], "mine", RESPONSE)]
    answered = here.driver("answers", [{"auth_req_id": settled["auth_req_id"], "answers": answers}])
    assert answered == {"results": ["ok"]}
    here.wait_for_state(one["question_id"], "settled")
    here.servers.service.stop()
    here.servers.service.arguments.append("--no-worker")
    here.servers.service.start()
    return Left(settled, waiting, two["question_id"])


def fresh_id() -> str:
    """An id a party makes."""
    return new_id()
