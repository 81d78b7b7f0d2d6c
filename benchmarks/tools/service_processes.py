"""Processor time and memory of groups of processes, looked at while they work.

Rules
- A group is a set of roots; a root counts with all below it, ended children included (the kernel adds them up).
- Seconds of a stretch are the difference between the looks nearest to its two ends.
- *Others* is what the machine's processors did beside our groups in that stretch: a figure of a busy machine is no
  figure of ours.

>>> looks = [Look(0.0, {"a": 1.0}, {"a": 5}, 2.0), Look(10.0, {"a": 4.0}, {"a": 7}, 9.0)]
>>> used(looks, 0.0, 10.0)
Used(seconds=10.0, cpu={'a': 3.0}, others=4.0, peak={'a': 7})
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import psutil

EVERY_SECONDS = 0.5


@dataclass(frozen=True)
class Look:
    """One look: when, processor seconds so far and resident bytes of each group, and those of the whole machine."""

    at: float
    cpu: Mapping[str, float]
    resident: Mapping[str, int]
    machine: float


@dataclass(frozen=True)
class Used:
    """What a stretch of time cost."""

    seconds: float
    cpu: dict[str, float]
    others: float
    """Processor seconds of everybody else on the machine."""
    peak: dict[str, int]


def used(looks: Sequence[Look], begin: float, end: float) -> Used:
    """The cost of the time from `begin` to `end`."""
    first = min(looks, key=lambda look: abs(look.at - begin))
    last = min(looks, key=lambda look: abs(look.at - end))
    cpu = {name: last.cpu[name] - first.cpu.get(name, 0.0) for name in last.cpu}
    within = [look for look in looks if first.at <= look.at <= last.at]
    peak = {name: max(look.resident.get(name, 0) for look in within) for name in last.cpu}
    others = max(0.0, last.machine - first.machine - sum(cpu.values()))
    return Used(last.at - first.at, cpu, others, peak)


class Watch(threading.Thread):
    """Looks at groups of processes until told to stop; `alone` roots count without what is below them."""

    def __init__(self, groups: Mapping[str, Sequence[int]], *, alone: Sequence[int] = ()) -> None:
        super().__init__(daemon=True)
        self.looks: list[Look] = []
        self._groups = {name: [psutil.Process(pid) for pid in pids] for name, pids in groups.items()}
        self._alone = set(alone)
        self._done = threading.Event()

    def run(self) -> None:
        """Look now and then."""
        while True:
            self.looks.append(self._look())
            if self._done.wait(EVERY_SECONDS):
                break
        self.looks.append(self._look())

    def stop(self) -> list[Look]:
        """Every look so far."""
        self._done.set()
        self.join()
        return self.looks

    def _look(self) -> Look:
        trees = {name: [one for root in roots for one in self._tree(root)] for name, roots in self._groups.items()}
        cpu = {name: sum(_tried(_cpu, one) for one in tree) for name, tree in trees.items()}
        resident = {name: int(sum(_tried(_resident, one) for one in tree)) for name, tree in trees.items()}
        times = psutil.cpu_times()
        return Look(time.time(), cpu, resident, sum(times) - times.idle - times.iowait - times.guest - times.guest_nice)

    def _tree(self, root: psutil.Process) -> list[psutil.Process]:
        try:
            return [root] if root.pid in self._alone else [root, *root.children(recursive=True)]
        except psutil.Error:
            return []


def _tried(figure: Callable[[psutil.Process], float], one: psutil.Process) -> float:
    """0 where it ended between two looks: its parent has its time by then."""
    try:
        return figure(one)
    except psutil.Error:
        return 0.0


def _cpu(one: psutil.Process) -> float:
    times = one.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def _resident(one: psutil.Process) -> float:
    """Of its own alone: shared pages (PostgreSQL's buffers, libraries) would count once for every process."""
    memory = one.memory_info()
    return float(memory.rss - memory.shared)
