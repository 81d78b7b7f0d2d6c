"""The circle's benchmark on a small world: figures add up, and the orders are compared as they say."""

from __future__ import annotations

import json

import pytest

from benchmarks import circle


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    file = tmp_path_factory.mktemp("circle") / "figures.json"
    circle.main(["--citizens", "1500", "--profile", "rural", "--json", str(file)])
    return json.loads(file.read_text(encoding="utf-8"))


def test_every_asked_item_ends_once_under_every_behaviour(told):
    for ended in told["ended"].values():
        assert sum(ended["outcomes"].values()) == ended["asked"] > 0
        assert ended["in_reach_right"] <= ended["in_reach"]
        assert ended["right"] + ended["wrong"] == sum(
            ended["outcomes"].get(code, 0) for code in ("confirmed", "same_hand")
        )


def test_truthful_citizens_make_no_wrong_links_and_greedy_ones_none_at_all(told):
    assert told["ended"]["truthful"]["wrong"] == 0
    assert told["ended"]["greedy_without_paper"]["wrong"] == 0
    assert told["ended"]["greedy_without_paper"]["outcomes"].get("confirmed", 0) <= 1


def test_all_orders_settle_the_same_in_the_end_and_none_beats_the_one_that_knows(told):
    for curves in told["curves"]:
        assert len({settled[-1] for settled in curves.values()}) == 1
    for row in told["savings"]:
        assert row["knowing"] <= min(row["gain"], row["probability"])
        assert row["saved"] == pytest.approx(1 - row["gain"] / row["probability"])


def test_questions_needed_are_counted_to_the_first_that_reaches_the_level():
    assert [circle.needed([3, 5, 6, 6], level) for level in (0.5, 0.51, 0.9, 1.0)] == [1, 2, 3, 3]
