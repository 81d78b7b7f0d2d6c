"""Measuring from outside: the whole process tree counts, and a failure keeps its words."""

from __future__ import annotations

import sys

from benchmarks.tools import machine
from benchmarks.tools.machine import measured, use_cores

HOLD = "import time; held = bytearray(200_000_000); time.sleep(0.6)"


def test_memory_held_by_a_child_counts():
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLD!r}])"
    assert measured([sys.executable, "-c", parent]).peak_bytes > 200_000_000


def test_memory_of_parent_and_child_adds_up():
    parent = f"import subprocess, sys; mine = bytearray(200_000_000); subprocess.run([sys.executable, '-c', {HOLD!r}])"
    assert measured([sys.executable, "-c", parent]).peak_bytes > 400_000_000


def test_a_peak_shorter_than_a_look_is_known_from_the_kernel(monkeypatch):
    monkeypatch.setattr(machine, "SAMPLE_SECONDS", 60.0)
    assert measured([sys.executable, "-c", "held = bytearray(200_000_000)"]).peak_bytes > 200_000_000


def test_a_failure_keeps_its_exit_code_and_its_last_words():
    run = measured([sys.executable, "-c", "import sys; print('first', file=sys.stderr); sys.exit('the reason')"])
    assert (run.code, run.complaint) == (1, "the reason")
    assert measured([sys.executable, "-c", "raise SystemExit(3)"]).complaint == "exit code 3"


def test_more_text_than_a_pipe_holds_comes_through():
    assert len(measured([sys.executable, "-c", "print('x' * 1_000_000)"]).stdout) == 1_000_001


def test_without_a_wish_the_cores_stay_as_they_are():
    assert use_cores(None) == use_cores(None) >= 1
