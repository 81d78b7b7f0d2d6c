"""How far a run is: a bar on a terminal, plain lines when piped, nothing when quiet.

Rules
- The share done and the time left are of the whole run: each step has a weight (its usual part of the time),
  and the time left follows from how long the weight done so far took in this run.
- A step whose results were there already took no time; it counts neither as done work nor as work to do.
- Piped, at most one line every few seconds.
- Only names of steps and numbers of rows are shown, never a value of a record.

>>> import io
>>> out = io.StringIO()
>>> with Progress({"read": 1.0, "link": 3.0}, LineDisplay(out, clock=lambda: 0.0)) as progress:
...     with progress.step("read", 2_000_000) as step:
...         step.advance(2_000_000)
>>> print(out.getvalue(), end="")
read: begins, 0 of 2,000,000 rows, 0 % of the run
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Protocol, Self, TextIO

import rich.progress
from rich.console import Console

LINE_SECONDS = 5.0

_MIN_SHARE = 0.01  # below it, a forecast is a guess
_BAR_REFRESHES_PER_SECOND = 4


@dataclass(frozen=True)
class State:
    """What a display shows: the step, its rows so far and in all (None: not known), the run's share and time left."""

    step: str
    rows: int
    total_rows: int | None
    share: float
    seconds_left: float | None


Moment = Literal["begins", "goes on", "done"]


class Display(Protocol):
    """Where progress shows."""

    def open(self) -> None:
        """The run begins."""

    def show(self, state: State, moment: Moment) -> None:
        """A step begins, goes on or is done."""

    def say(self, text: str) -> None:
        """Shows a line of its own."""

    def close(self) -> None:
        """The run has ended, well or not."""


class Forecast:
    """The share of a run that is done and the seconds it still needs, from weights and the time spent. Pure."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        self._weights = dict(weights)
        self._done = 0.0

    def finish(self, step: str) -> None:
        """The step is done."""
        self._done += self._weights.pop(step, 0.0)

    def skip(self, step: str) -> None:
        """The step need not be done: what remains is the whole."""
        self._weights.pop(step, None)

    def share(self, step: str, part: float) -> float:
        """The share of the run that is done when `part` of `step` is.

        >>> Forecast({"read": 1.0, "link": 3.0}).share("read", 0.5)
        0.125
        """
        total = self._done + sum(self._weights.values())
        return min(1.0, (self._done + part * self._weights.get(step, 0.0)) / total) if total else 0.0


def seconds_left(share: float, spent: float) -> float | None:
    """How long the rest takes at the rate so far; None while too little is done to tell.

    >>> seconds_left(0.25, 30.0), seconds_left(0.001, 30.0)
    (90.0, None)
    """
    return spent * (1.0 - share) / share if share >= _MIN_SHARE else None


@dataclass
class Step:
    """A step under way; `advance` is cheap and may be called often."""

    name: str
    total_rows: int | None
    _changed: Callable[[Step], None]
    rows: int = 0
    skipped: bool = field(default=False, init=False)

    def advance(self, rows: int = 1) -> None:
        """So many more rows are done."""
        self.rows += rows
        self._changed(self)

    def skip(self) -> None:
        """The results were there already."""
        self.skipped = True

    @property
    def part(self) -> float:
        """The share of this step that is done, 0 where its rows are not known."""
        return min(1.0, self.rows / self.total_rows) if self.total_rows else 0.0


class Progress:
    """Follows a run through its steps; `weights` are their usual shares of the time, in any unit."""

    def __init__(
        self, weights: Mapping[str, float], display: Display, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._forecast = Forecast(weights)
        self._display = display
        self._clock = clock
        self._spent = 0.0
        self._began: float | None = None

    def __enter__(self) -> Self:
        self._display.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._display.close()

    @contextmanager
    def step(self, name: str, total_rows: int | None = None) -> Iterator[Step]:
        """Follows a step; steps come one after another."""
        step = Step(name, total_rows, lambda changed: self._display.show(self._state(changed), "goes on"))
        self._began = self._clock()
        self._display.show(self._state(step), "begins")
        try:
            yield step
            self._settle(step)
            self._display.show(self._state(step, part=0.0), "done")
        finally:
            self._began = None

    def say(self, text: str) -> None:
        """A line of its own, without disturbing the bar."""
        self._display.say(text)

    def _settle(self, step: Step) -> None:
        if step.skipped:
            self._forecast.skip(step.name)
        else:
            self._forecast.finish(step.name)
            self._spent += self._clock() - (self._began or 0.0)
        self._began = self._clock()

    def _state(self, step: Step, part: float | None = None) -> State:
        share = self._forecast.share(step.name, step.part if part is None else part)
        spent = self._spent + (self._clock() - self._began if self._began is not None else 0.0)
        return State(step.name, step.rows, step.total_rows, share, seconds_left(share, spent))


class SilentDisplay:
    """Shows nothing (`--quiet`)."""

    def open(self) -> None:
        """Nothing."""

    def show(self, state: State, moment: Moment) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class LineDisplay(SilentDisplay):
    """Plain lines, at most one every `every_seconds`."""

    def __init__(
        self, stream: TextIO, every_seconds: float = LINE_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self._every = every_seconds
        self._clock = clock
        self._last: float | None = None

    def show(self, state: State, moment: Moment) -> None:
        """A line, unless the last one is too fresh."""
        now = self._clock()
        if self._last is None or now - self._last >= self._every:
            self._last = now
            self.say(f"{state.step}: {'' if moment == 'goes on' else moment + ', '}{described(state)}")

    def say(self, text: str) -> None:
        """A line at once."""
        print(text, file=self._stream, flush=True)


class BarDisplay:
    """A bar for the whole run, with the step, its rows and the time left beside it."""

    def __init__(self, stream: TextIO) -> None:
        self._rich = rich.progress.Progress(
            rich.progress.TextColumn("{task.fields[step]}", markup=False),
            rich.progress.BarColumn(bar_width=None),
            rich.progress.TextColumn("{task.fields[text]}", markup=False),
            console=Console(file=stream),
            expand=True,
            refresh_per_second=_BAR_REFRESHES_PER_SECOND,
        )
        self._task = self._rich.add_task("", total=1.0, step="", text="")

    def open(self) -> None:
        """Draws the bar from here on."""
        self._rich.start()

    def show(self, state: State, moment: Moment) -> None:  # noqa: ARG002  a bar shows every moment alike
        """Moves the bar."""
        self._rich.update(self._task, completed=state.share, step=state.step, text=described(state))

    def say(self, text: str) -> None:
        """A line above the bar."""
        self._rich.console.print(text, markup=False, highlight=False)

    def close(self) -> None:
        """Leaves the bar as it stands."""
        self._rich.stop()


def display_for(stream: TextIO | None = None, *, quiet: bool = False) -> Display:
    """The display that fits: none when quiet, a bar on a terminal, lines elsewhere; standard error unless told."""
    stream = stream or sys.stderr
    if quiet:
        return SilentDisplay()
    return BarDisplay(stream) if stream.isatty() else LineDisplay(stream)


def described(state: State) -> str:
    """The state in words.

    >>> described(State("link", 1200, 3000, 0.4, 100.0))
    '1,200 of 3,000 rows, 40 % of the run, about 2 min left'
    """
    total = f" of {state.total_rows:,}" if state.total_rows is not None else ""
    rows = [f"{state.rows:,}{total} rows"] if state.rows or state.total_rows else []
    left = [f"about {_duration(state.seconds_left)} left"] if state.seconds_left is not None and state.share < 1 else []
    return ", ".join([*rows, f"{state.share:.0%}".replace("%", " %") + " of the run", *left])


def _duration(seconds: float) -> str:
    """Rounded as one would say it."""
    if seconds < 90:
        return f"{max(5, round(seconds / 5) * 5)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
