"""What asking may be told."""

from __future__ import annotations

from typing import Any

import pytest

from linkage.ask.plan import Plan
from linkage.errors import ConfigError


@pytest.mark.parametrize(
    "wrong",
    [
        {"by": "luck"},
        {"budget": 0},
        {"random_share": 1.5},
        {"expires_in_seconds": 59},
        {"expires_in_seconds": 2_592_001},
        {"most_items": 0},
    ],
)
def test_a_plan_that_cannot_be_meant_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Plan(**wrong)


def test_without_a_budget_everything_is_asked() -> None:
    assert Plan().total(37) == 37
    assert Plan(budget=50).total(37) == 37


def test_even_a_small_round_has_a_part_by_lot() -> None:
    assert Plan(budget=3).random_questions(100) == 1
    assert Plan(random_share=0.0).random_questions(100) == 0
