"""The confirmation service under load: full questions a second, seconds of each endpoint, processor time of a question.

python benchmarks/service.py [--citizens 3000] [--paced-seconds 90] [--suite vn-p256] [--workers 1] [--json FILE]

Rules
- Service, simulator and a real PostgreSQL 15 of our own (fsync and synchronous commits on; main database and key store
  are two databases) run as in production on this machine's cores, and so do those who load them. Real HTTP, sealed.
- A *full question* is posted, asked, pinged, fetched and stored: its outcomes have come back through the feed. One
  question a citizen, every second with two items, each with a challenge that the citizen meets at once.
- *Saturated*: questions are posted as fast as they are taken, at most `--ahead` before their outcomes, so that posting
  goes on as long as there is something to measure. The steady state lies between the first 20 % of the outcomes and the
  last posting (at most 90 %). The rate over the whole phase, warm-up and tail included, stands beside it.
- *Paced*: at half of the target (25 a second), or half of what was measured where that is less. Meanwhile every
  endpoint is called by a clock of its own. Seconds are those the client sees; of the ping those of the service's log.
  Refusals are told apart: the protocol holds them back for 50 ms.
- Processor time is that of process trees over the steady state. What the machine did beside us is printed: a figure of
  a machine that others use is an upper bound.
- The cryptography's share: messages sealed and opened (counted from the public log) times the cost of one, measured
  before the phases; boxes of the field encryption likewise.
- The exit code is 0 whether targets are met or not.

Worked example: 1,800 questions with their outcomes in 30 s of steady state give
"PASS         full questions a second, saturated (vn-p256): 60.0 (target: at least 50.0)".
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.tools import service_crypto as crypto
from benchmarks.tools import service_figures as figures
from benchmarks.tools import service_load as load_tools
from benchmarks.tools.figures import Target, percent, table, write_json
from benchmarks.tools.machine import description, use_cores
from benchmarks.tools.service_figures import Cost, Endpoint, Steady, milliseconds, percentile
from benchmarks.tools.service_load import Call, EngineTold, Load
from benchmarks.tools.service_processes import Used, Watch, used
from exchange.sealed.suites import SUITES
from exchange.transport import Client, get
from quychu.circle.world import Servers, Told, World, lay_out, servers_of
from scripts.local_postgres import database_url, driver_url, local_postgres

LEAST_PER_SECOND, MOST_SECONDS = 50.0, 0.250
PATIENCE_SECONDS = 1_200.0
STEP = 100_000
"""Numbers of citizens between phases."""
GROUPS = ("service", "simulator", "postgresql", "load")
SETTLE_SECONDS = 3.0
"""Between a phase's preparation and its beginning."""


@dataclass(frozen=True)
class Place:
    """A running world."""

    world: World
    servers: Servers
    postmaster: int
    suite: str


@dataclass
class Phase:
    """What one phase gave."""

    load: Load
    engine: EngineTold
    probes: list[Call]
    steady: Steady
    used: Used
    whole_seconds: float
    began: float
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def questions(self) -> int:
        """That had all their outcomes."""
        return len(self.engine.spans)


# ---- the world -----------------------------------------------------------------------------------------------------


@contextmanager
def running(folder: Path, suite: str, workers: int) -> Iterator[Place]:
    """PostgreSQL, simulator and service, started; ended with the block."""
    with local_postgres(durable=True, settings={"shared_buffers": "128MB"}) as url:
        postmaster = _prepare(url)
        roomy = {"per_second": 100_000, "burst": 100_000}
        told = Told(
            suite=suite,
            database=database_url(url, "confirm"),
            key_store=database_url(url, "citizen_keys"),
            service={"limits": {"address": roomy, "peer": roomy, "refused": roomy}},
        )
        world = lay_out(folder, told)
        servers = servers_of(world)
        servers.service.arguments += ["--workers", str(workers)]
        try:
            servers.provider.start()
            servers.service.start()
            yield Place(world, servers, postmaster, suite)
        finally:
            servers.service.stop()
            servers.provider.stop()


def _prepare(url: str) -> int:
    """The two databases; the id of PostgreSQL's first process."""
    import psutil  # noqa: PLC0415 - of this one line

    with psycopg.connect(driver_url(url), autocommit=True) as conn:
        conn.execute("CREATE DATABASE confirm")
        conn.execute("CREATE DATABASE citizen_keys")
        backend = conn.info.backend_pid
        return int(psutil.Process(backend).ppid())


# ---- a phase -------------------------------------------------------------------------------------------------------


def play(place: Place, load: Load) -> Phase:
    """Let engine, citizens and the others loose, and watch."""
    spawn = multiprocessing.get_context("spawn")
    stop, answered, results = spawn.Event(), spawn.Queue(load.silent or 1), spawn.Queue()
    before = _leaves(place.world, 0)
    load_tools.post_silent(load)
    time.sleep(SETTLE_SECONDS if load.silent else 0)
    ready = place.servers.driver()
    work = [spawn.Process(target=load_tools.citizens, args=(load, ready, stop, answered), name="citizens")]
    work.append(spawn.Process(target=load_tools.engine, args=(load, stop, results), name="engine"))
    if load.probes_per_second:
        work.append(spawn.Process(target=load_tools.probes, args=(load, stop, answered, results), name="probes"))
    for process in work:
        process.start()
    watch, began = _watch(place, [process.pid for process in work]), time.time()
    watch.start()
    told = _results(results, work, stop)
    watch.stop()
    stretch = figures.steady(told["engine"].done, until=told["engine"].posted[-1][0])
    return Phase(
        load,
        told["engine"],
        told.get("probes", []),
        stretch,
        used(watch.looks, stretch.begin, stretch.end),
        told["engine"].done[-1][0] - told["engine"].posted[0][0],
        began,
        figures.counted(_leaves(place.world, len(before))),
    )


def _watch(place: Place, load: Sequence[int | None]) -> Watch:
    service, provider = place.servers.service.process, place.servers.provider.process
    assert service is not None
    assert provider is not None
    groups = {"service": [service.pid], "simulator": [provider.pid], "postgresql": [place.postmaster]}
    groups["load"] = [os.getpid(), *[pid for pid in load if pid is not None]]
    return Watch(groups, alone=[os.getpid()])


def _results(results: Any, work: Sequence[Any], stop: Any) -> dict[str, Any]:
    """What the processes tell: the engine when all is done, the others when they are told to end."""
    told: dict[str, Any] = {}
    expected = 1 + (len(work) > 2)
    try:
        while len(told) < expected:
            name, found = results.get(timeout=PATIENCE_SECONDS)
            told[name] = found
            stop.set()
    finally:
        stop.set()
        for process in work:
            process.join(30)
            if process.is_alive():
                process.terminate()
    return told


def _leaves(world: World, first: int) -> list[str]:
    """The public log from `first` on, once it has caught up."""
    base = f"{world.service_url}/v1/log"
    with Client(read_seconds=60, total_seconds=60) as client:
        size, found = load_tools.tree_size(get(client, f"{base}/checkpoint").body), list[str]()
        while first < size:
            end = min(first + 300, size)
            page = get(client, f"{base}/leaves?from={first}&to={end}").body.decode().splitlines()
            found += page
            first += len(page)
    return found


# ---- figures -------------------------------------------------------------------------------------------------------


def endpoints(phase: Phase, log: Path) -> dict[str, Endpoint]:
    """The seconds of each endpoint in the steady state."""
    found: defaultdict[str, Endpoint] = defaultdict(Endpoint)
    begin, end = phase.steady.begin, phase.steady.end
    for call in [*phase.engine.calls, *phase.probes]:
        if begin <= call.at <= end:
            found[call.endpoint].client.append(call.seconds)
            found[call.endpoint].statuses[call.status] += 1
    with log.open(encoding="utf-8", errors="replace") as lines:
        for route, status, seconds in figures.access_lines(lines, begin, end):
            if route in found and status < 400:
                found[route].service.append(seconds)
            elif route == "/v1/callbacks/vneid":
                found[route].service.append(seconds)
                found[route].statuses[status] += 1
    return dict(sorted(found.items()))


def endpoint_table(found: Mapping[str, Endpoint]) -> str:
    """One row an endpoint."""
    head = ["endpoint", "calls", "statuses", "p50", "p99", "slowest", "p50 in the service", "p99 in the service"]
    rows = [
        [
            name,
            f"{len(one.judged()):,}",
            " ".join(f"{status}" for status in sorted(one.statuses)),
            *[milliseconds(percentile(one.client, share)) for share in (0.5, 0.99, 1.0)],
            *[milliseconds(percentile(one.service, share)) for share in (0.5, 0.99)],
        ]
        for name, one in found.items()
    ]
    return table([head, *rows])


def cost_table(phase: Phase) -> str:
    """Processor time and memory of each group."""
    count = max(phase.steady.questions, 1)
    everything = max(sum(phase.used.cpu.values()), 1e-9)
    head = ["processes", "CPU per question", "share", "cores", "memory"]
    rows = [
        [
            name,
            milliseconds(phase.used.cpu[name] / count),
            percent(phase.used.cpu[name] / everything, 1),
            f"{phase.used.cpu[name] / phase.used.seconds:.2f}",
            f"{phase.used.peak[name] / 1e6:.0f} MB",
        ]
        for name in GROUPS
    ]
    rows.append(["together", milliseconds(everything / count), "", f"{everything / phase.used.seconds:.2f}", ""])
    rows.append(["everybody else here", "", "", f"{phase.used.others / phase.used.seconds:.2f}", ""])
    return table([head, *rows])


@dataclass(frozen=True)
class Share:
    """The cryptography of one full question in the service's processes, in processor seconds."""

    seals: float
    opens: float
    envelope: float
    bare: float
    boxes: float
    field: float
    of_service: float

    @property
    def together(self) -> float:
        """Envelope and field encryption."""
        return self.envelope + self.field

    def sentence(self) -> str:
        """In words."""
        return (
            f"cryptography per question: {self.seals:.2f} seals and {self.opens:.2f} opens "
            f"{milliseconds(self.envelope)} (signatures and key agreements alone {milliseconds(self.bare)}), "
            f"{self.boxes:.1f} boxes "
            f"{milliseconds(self.field)}: {percent(self.together / self.of_service, 0)} of the service's own "
            f"{milliseconds(self.of_service)}"
        )


def share(phase: Phase, costs: Mapping[str, Cost], box: Cost, bare: Cost) -> Share:
    """Counted from the log of the phase, times what one costs."""
    count = max(phase.questions, 1)
    seals = sum(number for (_, what), number in phase.counts.items() if what == "seal") / count
    opens = sum(number for (_, what), number in phase.counts.items() if what == "open") / count
    records = phase.counts["", "record"] / count
    items = sum(phase.engine.states.values()) / count
    # a parcel is sealed when it is posted, opened when it is asked and when its reply is judged; a reply is sealed once
    boxes_sealed, boxes_opened = records + items + 1, 2 * items
    return Share(
        seals,
        opens,
        figures.envelope_seconds(phase.counts, costs) / count,
        seals * bare.seal + opens * bare.open,
        boxes_sealed + boxes_opened,
        boxes_sealed * box.seal + boxes_opened * box.open,
        phase.used.cpu["service"] / max(phase.steady.questions, 1),
    )


def shown(name: str, phase: Phase) -> str:
    """The phase in a few lines."""
    engine, stretch = phase.engine, phase.steady
    spans = [seconds for began, seconds in engine.spans if stretch.begin <= began + seconds <= stretch.end]
    states = ", ".join(f"{state} {count:,}" for state, count in sorted(engine.states.items()))
    refused = "".join(f", refused {why} {count:,}" for why, count in sorted(engine.refused.items()))
    whole = f"{phase.whole_seconds:.1f} s, all included ({phase.questions / phase.whole_seconds:.1f}/s)"
    seconds = f"{stretch.end - stretch.begin:.1f} s = {stretch.per_second:.1f}/s"
    first, last = (milliseconds(percentile(spans, share), 0) for share in (0.5, 0.99))
    lines = [
        f"-- {name}: {phase.questions:,} full questions in {whole}; items: {states}{refused}",
        f"steady state: {stretch.questions:,} in {seconds}; from posting to the outcome p50 {first}, p99 {last}",
        cost_table(phase),
    ]
    return "\n".join(lines)


def latency_targets(found: Mapping[str, Endpoint], suite: str) -> list[Target]:
    """p99 of each endpoint; refusals stand apart."""
    return [
        Target(
            f"p99 of {name} in ms ({suite})",
            _in_ms(percentile(one.judged(), 0.99)),
            MOST_SECONDS * 1e3,
            "at most",
            ".0f",
        )
        for name, one in found.items()
        if not name.startswith("refused")
    ]


def _in_ms(value: float | None) -> float | None:
    return None if value is None else value * 1e3


def paced_rate(measured: float) -> float:
    """Half of the target, or of what was measured where that is less.

    >>> paced_rate(80.0), paced_rate(30.0)
    (25.0, 15.0)
    """
    return min(LEAST_PER_SECOND, measured) / 2


# ---- the run -------------------------------------------------------------------------------------------------------


def measure(asked: argparse.Namespace, suite: str, folder: Path) -> dict[str, Any]:
    """Both phases with one suite."""
    costs, box, bare = crypto.costs(suite, batch=asked.batch), crypto.box_cost(), crypto.bare(suite)
    print(f"\n== {suite}: {cost_sentence(costs, box, bare)}", flush=True)
    judged: list[Target] = []
    with running(folder, suite, asked.workers) as place:
        load = Load(place.world, suite, 0, asked.citizens, asked.batch, asked.ahead)
        saturated = play(place, load)
        crypto_share = share(saturated, costs, box, bare)
        print(f"{shown('saturated', saturated)}\n{crypto_share.sentence()}\n", flush=True)
        rate = saturated.steady.per_second
        judged.append(
            Target(f"full questions a second, saturated ({suite})", rate, LEAST_PER_SECOND, "at least", ".1f")
        )
        told: dict[str, Any] = {"suite": suite, "saturated": as_dict(saturated, crypto_share)}
        if asked.paced_seconds:
            paced = play(place, _paced(load, paced_rate(rate), asked, saturated.engine.after))
            found = endpoints(paced, place.servers.service.log)
            print(
                f"{shown(f'paced at {paced_rate(rate):.1f} a second', paced)}\n\n{endpoint_table(found)}\n", flush=True
            )
            judged += latency_targets(found, suite)
            told |= {"paced": as_dict(paced, share(paced, costs, box, bare)), "endpoints": _endpoints_dict(found)}
    print("\n".join(target.verdict() for target in judged), flush=True)
    return {**told, "targets": [target.as_dict() for target in judged]}


def _paced(load: Load, rate: float, asked: argparse.Namespace, after: str | None) -> Load:
    seconds = asked.paced_seconds
    return Load(
        load.world,
        load.suite,
        STEP,
        int(rate * seconds),
        asked.paced_batch,
        0,
        per_second=rate,
        after=after,
        probes_per_second=asked.probes_per_second,
        silent=int(seconds * asked.probes_per_second),
    )


def cost_sentence(costs: Mapping[str, Cost], box: Cost, bare: Cost) -> str:
    """What one costs."""
    ask, reply = costs["landask"], costs["landreply"]
    return (
        f"one landask sealed {milliseconds(ask.seal, 2)}, one landreply opened {milliseconds(reply.open, 2)} "
        f"(bare {milliseconds(bare.seal, 2)} and {milliseconds(bare.open, 2)}), "
        f"one box {milliseconds(box.seal, 3)} and {milliseconds(box.open, 3)}"
    )


def as_dict(phase: Phase, crypto_share: Share) -> dict[str, Any]:
    """For JSON."""
    count = max(phase.steady.questions, 1)
    return {
        "questions": phase.questions,
        "per_second": phase.steady.per_second,
        "per_second_whole": phase.questions / phase.whole_seconds,
        "steady_seconds": phase.steady.end - phase.steady.begin,
        "cpu_seconds_per_question": {name: phase.used.cpu[name] / count for name in GROUPS},
        "cores": {name: phase.used.cpu[name] / phase.used.seconds for name in GROUPS},
        "cores_of_others": phase.used.others / phase.used.seconds,
        "memory_bytes": phase.used.peak,
        "cryptography": vars(crypto_share),
        "messages": {f"{event} {what}".strip(): number for (event, what), number in sorted(phase.counts.items())},
    }


def _endpoints_dict(found: Mapping[str, Endpoint]) -> dict[str, Any]:
    return {
        name: {
            "calls": len(one.judged()),
            "statuses": {str(status): count for status, count in one.statuses.items()},
            "p50_seconds": percentile(one.judged(), 0.5),
            "p99_seconds": percentile(one.judged(), 0.99),
        }
        for name, one in found.items()
    }


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--citizens", type=int, default=3_000, help="questions of the saturated phase")
    parser.add_argument("--batch", type=int, default=50, help="questions in a message while saturated")
    parser.add_argument("--ahead", type=int, default=300, help="questions at most before their outcomes")
    parser.add_argument("--paced-seconds", type=int, default=90, help="0 leaves the paced phase out")
    parser.add_argument("--paced-batch", type=int, default=5, help="questions in a message while paced")
    parser.add_argument("--probes-per-second", type=float, default=2.0, help="calls of each other endpoint")
    parser.add_argument("--workers", type=int, default=1, help="processes of the service")
    parser.add_argument("--suite", action="append", choices=list(SUITES), help="both unless told")
    parser.add_argument("--cores", type=int, help="cores for everybody (default: all)")
    parser.add_argument("--work", type=Path, help="keep worlds and logs in this folder")
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Measure and print."""
    asked = arguments(words)
    machine = description(use_cores(asked.cores))
    print(machine, flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        work = (asked.work or Path(temporary)).resolve()
        found = [measure(asked, suite, work / suite) for suite in asked.suite or list(SUITES)]
    write_json(asked.json, {"machine": machine, "workers": asked.workers, "suites": found})
    return 0


if __name__ == "__main__":
    sys.exit(main())
