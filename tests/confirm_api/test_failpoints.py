"""A point that nobody armed costs nothing; an armed one kills at its passing and not before."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from confirm_api import failpoints
from confirm_api.errors import SettingsError

CODE = """
from confirm_api.failpoints import reach
for _ in range(3):
    reach("store"), reach("send"), print("passed", flush=True)
"""


@pytest.mark.parametrize(
    ("armed", "passed", "code"),
    [("", 3, 0), ("store", 0, -signal.SIGKILL), ("store:3", 2, -signal.SIGKILL), ("store:4", 3, 0), ("fetch", 3, 0)],
)
def test_the_process_dies_at_that_passing(armed, passed, code):
    told = os.environ | {failpoints.VARIABLE: armed, "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run([sys.executable, "-c", CODE], env=told, capture_output=True, text=True, check=False)
    assert (done.stdout.count("passed"), done.returncode) == (passed, code)


@pytest.mark.parametrize("text", ["acept", "accept:0", "accept:x", "accept:", ":1", "accept:-1"])
def test_a_name_that_is_no_point_stops_the_start(text):
    if text == "accept:":
        assert failpoints.armed(text) == ("accept", 1)
    else:
        with pytest.raises(SettingsError, match="expected one of accept"):
            failpoints.armed(text)
