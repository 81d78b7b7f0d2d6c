"""What holds for all tests.

Rules
- `@pytest.mark.needs("libreoffice")` names a program outside Python (scripts/system_tools.py declares it). Where it is
  absent the test is not run, and the run ends with the list of such tests and what they want.
- With CI=true a test that was not run is a failure, whatever the reason: a skip nobody sees is a hole.
- A run that is told to end (SIGTERM, as from `timeout` or a build server) ends its servers first, as at Ctrl-C.
- Hypothesis is seeded from the test's own name, so that a run can be repeated.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

from scripts.system_tools import TOOLS, missing

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)
ROOT = Path(__file__).resolve().parent.parent
IN_CI = os.environ.get("CI", "").lower() == "true"
NOT_RUN = pytest.StashKey[dict[str, str]]()

settings.register_profile("quychu", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("quychu")


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder `tests/data`."""
    return ROOT / "tests" / "data"


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker and the list of tests not run; end in order when told to."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    config.addinivalue_line("markers", "needs(tool, …): programs declared in scripts/system_tools.py")
    config.stash[NOT_RUN] = {}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose tools are absent."""
    names = [name for mark in item.iter_markers("needs") for name in mark.args]
    if unknown := [name for name in names if name not in TOOLS]:
        pytest.fail(f"needs{tuple(unknown)} is not in scripts/system_tools.py, which has {sorted(TOOLS)}")
    if wanting := missing(names):
        packages = " ".join(TOOLS[name].package for name in wanting)
        pytest.skip(f"needs {', '.join(wanting)} (Debian: apt install {packages})")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


def _note_skip(report: Report, config: pytest.Config) -> Report:
    """Remember a skip; where CI=true, turn it into a failure."""
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = _reason(report)
        config.stash[NOT_RUN][report.nodeid] = reason
        if IN_CI:
            report.outcome = "failed"
            report.longrepr = f"not run, and CI=true lets no test be left out: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """See tests skipped by a mark, a fixture or their body."""
    return _note_skip((yield), item.config)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """See modules skipped as a whole (`importorskip`)."""
    return _note_skip((yield), collector.config)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """End with the tests not run, and for want of what."""
    not_run = config.stash[NOT_RUN]
    if not_run:
        terminalreporter.section("tests not run, and for want of what")
        for test, reason in not_run.items():
            terminalreporter.line(f"{test}: {reason}")
