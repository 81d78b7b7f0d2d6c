"""The lock files say what they were made for, and nothing of the machine that made them."""

import re

import pytest

from scripts import lock

LOCK_FILES = sorted(lock.LOCKS.glob("*.txt"))


def test_included_groups_are_followed():
    project = {
        "project": {"dependencies": ["polars"]},
        "dependency-groups": {"build": ["hatchling"], "dev": [{"include-group": "build"}, "pytest"]},
    }
    assert lock.wanted(project, ["dev"]) == ["hatchling", "polars", "pytest"]
    assert lock.wanted(project, []) == ["polars"]


def test_a_changed_requirement_changes_the_first_line():
    assert lock.first_line(["duckdb<2"]) != lock.first_line(["duckdb<3"])


@pytest.mark.parametrize("file", LOCK_FILES, ids=lambda file: file.stem)
def test_every_pin_is_exact_and_has_a_hash(file):
    entries = [line for line in file.read_text().replace("\\\n", " ").splitlines() if not line.startswith("#")]
    assert entries
    assert all(re.match(r"[a-z0-9-]+==\S+( ; .+?)?\s+--hash=sha256:[0-9a-f]{64}", line) for line in entries)


@pytest.mark.parametrize("file", LOCK_FILES, ids=lambda file: file.stem)
def test_no_host_and_no_path_is_written(file):
    assert not re.search(r"://|--index|--find-links|@ file|/tmp|/home|/root", file.read_text())


def test_the_developers_lock_holds_the_run_time_versions():
    def pins(name):
        return set(re.findall(r"^\S+==[^\s;]+", (lock.LOCKS / f"{name}.txt").read_text(), re.MULTILINE))

    assert pins("run") <= pins("dev")
    assert not {pin for pin in pins("run") | pins("dev") if pin.split("==")[0] in {"pandas", "unidecode"}}
