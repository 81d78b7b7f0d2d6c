"""The yardstick stays the yardstick, and what it prints is read as it prints it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.tools import plain

PRINTED = """prepare 0.3 s
train 4.3 s
predict 0.5 s
total 5.1 s, peak 0.3 GB
p >= 0.5: precision 0.99594 recall 0.95443 F1 0.97475
p >= 0.999: precision nan recall 0.00000 F1 0.00000
recall at precision 0.9995: 0.85555
recall at precision 0.999: 0.86544
"""


def test_the_script_is_the_agreed_one_byte_for_byte():
    assert plain.seal() == f"plain_splink.py SHA-256 {plain.SHA256} (as agreed)"


def test_a_changed_script_says_so(monkeypatch, tmp_path):
    changed = tmp_path / "plain_splink.py"
    changed.write_bytes(plain.SCRIPT.read_bytes() + b"\n")
    monkeypatch.setattr(plain, "SCRIPT", changed)
    assert f"(CHANGED: the agreed one is {plain.SHA256})" in plain.seal()


def test_what_it_prints_is_read():
    said = plain.parsed(PRINTED)
    assert said.missed("0.999") == pytest.approx(0.13456)
    assert said.missed("0.9995") == pytest.approx(0.14445)
    assert said.at_probability["0.5"] == {"precision": 0.99594, "recall": 0.95443}
    assert (said.own_seconds, said.own_peak_gb) == (5.1, 0.3)


def test_what_it_does_not_print_is_unknown():
    said = plain.parsed("Traceback …")
    assert (said.missed("0.999"), said.own_seconds, said.at_probability) == (None, None, {})


def test_an_interpreter_that_lacks_the_libraries_or_is_absent_is_not_taken(tmp_path):
    assert plain.find_python(tmp_path / "python") is None
    found = plain.find_python(None)
    assert found is None or found in {Path(sys.executable), plain.ROOT / ".venv-bench" / "bin" / "python"}
