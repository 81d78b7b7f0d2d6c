"""Normalise a file of owner lines once and say, as JSON, how long it took and which module took it.

python benchmarks/tools/normalise_lines.py land_owners.parquet

Rules
- A process of its own, so that its memory can be measured: reading comes first and is not counted in the seconds.
- Whatever `linkage.normalise.lines` calls in another module of `linkage.normalise` is timed under that module's name,
  nested calls once; papers and places run beside the names, so the fields may sum to more than the whole.
- `used_bytes` is the resident memory before normalising, the lines themselves included.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import wraps
from pathlib import Path
from types import FunctionType
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from linkage.config import load
from linkage.normalise import lines as steps
from linkage.sources.mapping import mapping_of
from linkage.sources.reading import read_owners

FIELDS = "linkage.normalise."


class Stopwatch:
    """Seconds by name; a call inside a timed call belongs to the outer one."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._here = threading.local()  # papers and places are read in a thread beside the names

    def timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, timed under `name`."""

        @wraps(call)
        def timed_call(*args: Any, **named: Any) -> Any:
            if getattr(self._here, "inside", False):
                return call(*args, **named)
            self._here.inside, began = True, time.perf_counter()
            try:
                return call(*args, **named)
            finally:
                self._here.inside = False
                self.seconds[name] += time.perf_counter() - began

        return timed_call


def time_fields(watch: Stopwatch) -> None:
    """Time every function that `linkage.normalise.lines` takes from a module of one field."""
    for name, value in list(vars(steps).items()):
        if (
            isinstance(value, FunctionType)
            and value.__module__.startswith(FIELDS)
            and value.__module__ != steps.__name__
        ):
            setattr(steps, name, watch.timed(value.__module__.removeprefix(FIELDS), value))


def main(path: Path) -> None:
    """Read, normalise, tell."""
    config = load(None)
    owners = read_owners(path, mapping_of(config.sources.owners)).lines
    watch, before = Stopwatch(), psutil.Process().memory_info().rss
    time_fields(watch)
    # As in a run: a second process reads a share of the cells. It is started before the clock, as a run's is.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as helper:
        helper.submit(int).result()
        began = time.perf_counter()
        mentions = steps.mentions(
            owners,
            sex_coding=config.sources.owners.sex_coding,
            home_provinces=list(config.run.home_provinces),
            helper=helper,
        )
    spent = time.perf_counter() - began
    told = {"lines": owners.height, "mentions": mentions.height, "seconds": spent, "used_bytes": before}
    print(json.dumps({**told, "fields": watch.seconds}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
