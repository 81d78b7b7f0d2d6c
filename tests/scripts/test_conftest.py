"""Tests that were not run are named at the end, and are failures in CI."""

from pathlib import Path

import pytest

from scripts.system_tools import TOOLS, Tool

pytest_plugins = ["pytester"]
CONFTEST = (Path(__file__).parent.parent / "conftest.py").read_text(encoding="utf-8")
INNER = """
import pytest

@pytest.mark.needs("{tool}")
def test_in_want(): pass

def test_by_itself(): pass
"""


@pytest.fixture
def run(pytester, monkeypatch):
    """Run an inner test file under our conftest, with a tool that is nowhere."""
    monkeypatch.setitem(TOOLS, "unicorn", Tool("unicorn-bin", ("no-such-command",), "never there"))

    def inner(tool, ci):
        monkeypatch.setenv("CI", ci)
        pytester.makeconftest(CONFTEST)
        pytester.makepyfile(INNER.format(tool=tool))
        return pytester.runpytest_inprocess("-p", "no:cacheprovider")

    return inner


def test_a_test_in_want_of_a_tool_is_named_with_its_package(run):
    result = run("unicorn", ci="")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["*tests not run, and for want of what*", "*test_in_want: needs unicorn*unicorn-bin*"])


def test_in_ci_a_test_not_run_is_a_failure(run):
    run("unicorn", ci="true").assert_outcomes(passed=1, errors=1)


def test_a_tool_nobody_declared_is_an_error_not_a_skip(run):
    run("no-such-tool", ci="").assert_outcomes(passed=1, errors=1)
