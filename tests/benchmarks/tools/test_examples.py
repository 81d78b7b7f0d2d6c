"""The examples in docstrings hold; pytest cannot collect them itself, for a peer runs when it is imported."""

from __future__ import annotations

import doctest
import importlib

import pytest

SERVICE = tuple(f"tools.service_{name}" for name in ("figures", "load", "people", "processes"))
MODULES = ("normalise", "service", "tools.figures", "tools.machine", "tools.plain", *SERVICE)


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name):
    result = doctest.testmod(importlib.import_module(f"benchmarks.{name}"), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted > 0
    assert result.failed == 0
