"""One simulator for the tests of a module; those that need their own make it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.confirm_api.vneid_sim.world import Running, running


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A running simulator with its service."""
    with running(tmp_path_factory.mktemp("sim")) as found:
        yield found
