import pytest

from tests.confirm_api.service.helpers import Story


@pytest.fixture
def story(units, clock) -> Story:
    return Story(units, clock)
