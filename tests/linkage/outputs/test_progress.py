"""What a person sees of a run under way."""

from __future__ import annotations

import io

import pytest

from linkage.outputs.progress import BarDisplay, LineDisplay, Progress, SilentDisplay, State, described, display_for

WEIGHTS = {"read": 1.0, "score": 2.0, "decide": 1.0}


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Kept(SilentDisplay):
    def __init__(self):
        self.states = []

    def show(self, state, moment):
        self.states.append((moment, state))


def test_share_and_time_left_follow_from_the_weights_and_the_time_spent():
    clock, display = Clock(), Kept()
    with Progress(WEIGHTS, display, clock) as progress:
        with progress.step("read", 10):
            clock.now = 10.0
        with progress.step("score", 100) as step:
            clock.now = 30.0
            step.advance(50)
    goes_on = next(state for moment, state in display.states if moment == "goes on")
    assert goes_on == State("score", 50, 100, 0.5, 30.0)


def test_a_step_found_finished_counts_as_no_time_and_no_work():
    clock, display = Clock(), Kept()
    with Progress(WEIGHTS, display, clock) as progress:
        with progress.step("score") as step:
            clock.now = 0.5
            step.skip()
        with progress.step("read", 4) as step:
            clock.now = 10.5
            step.advance(4)
    last = [state for moment, state in display.states if moment == "goes on"][-1]
    assert (last.share, last.seconds_left) == (0.5, 10.0)


def test_more_rows_than_announced_and_steps_without_weight_do_no_harm():
    display = Kept()
    with Progress({"read": 1.0}, display) as progress:
        with progress.step("read", 2) as step:
            step.advance(5)
        with progress.step("unknown", 0) as step:
            step.advance(1)
    assert all(0.0 <= state.share <= 1.0 for _, state in display.states)


def test_piped_it_writes_at_most_one_line_every_few_seconds():
    clock, out = Clock(), io.StringIO()
    display = LineDisplay(out, every_seconds=5.0, clock=clock)
    with Progress(WEIGHTS, display, clock) as progress, progress.step("read", 100) as step:
        for second in range(12):
            clock.now = float(second)
            step.advance(1)
    assert [line.split(",")[0] for line in out.getvalue().splitlines()] == [
        "read: begins", "read: 6 of 100 rows", "read: 11 of 100 rows"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State("a", 0, None, 0.0, None), "0 % of the run"),
        (State("a", 5, None, 0.1, 7.0), "5 rows, 10 % of the run, about 5 s left"),
        (State("a", 5, 10, 0.1, 7300.0), "5 of 10 rows, 10 % of the run, about 2 h 02 min left"),
        (State("a", 10, 10, 1.0, 0.0), "10 of 10 rows, 100 % of the run"),
    ],
)
def test_a_state_is_said_in_words(state, words):
    assert described(state) == words


def test_the_display_fits_the_place_it_shows_in():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    assert isinstance(display_for(Terminal()), BarDisplay)
    assert isinstance(display_for(io.StringIO()), LineDisplay)
    assert type(display_for(Terminal(), quiet=True)) is SilentDisplay


def run_failing_midway(display):
    with Progress(WEIGHTS, display) as progress:
        progress.say("[not markup]")
        with progress.step("score", 1000) as step:
            step.advance(500)
            raise ValueError("x")


def test_the_bar_shows_the_step_and_ends_well_after_an_error():
    out = io.StringIO()
    with pytest.raises(ValueError, match="x"):
        run_failing_midway(BarDisplay(out))
    assert "score" in out.getvalue()
    assert "[not markup]" in out.getvalue()
