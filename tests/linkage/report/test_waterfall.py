"""Waterfalls: the bars of a pair always add up to its weight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linkage.report.model_levels import comparisons_of, prior_bits
from linkage.report.run_folder import open_run
from linkage.report.waterfall import examples, waterfall_steps
from tests.linkage.report.fake_run import make_run

if TYPE_CHECKING:
    from pathlib import Path


def test_bars_add_up_to_the_total_of_each_example(tmp_path: Path) -> None:
    make_run(tmp_path, persons=400)
    found = examples(open_run(tmp_path), with_names=False)
    assert [each.kind for each in found] == ["sure", "doubtful", "refused"]
    for each in found:
        assert sum(step.bits for step in each.steps) == pytest.approx(each.match_weight, abs=0.02)


def test_a_term_frequency_part_joins_its_comparison() -> None:
    row = {"bf_name": 9.0, "bf_tf_name": -2.0, "gamma_name": 1, "match_weight": 7.0}
    (step,) = waterfall_steps(row, prior=None, labels={("name", 1): "exact"})
    assert (step.name, step.label, step.bits) == ("name", "exact", 7.0)


def test_what_the_pair_does_not_explain_is_shown() -> None:
    steps = waterfall_steps({"bf_name": 9.0, "gamma_name": 1, "match_weight": 12.0}, prior=-1.0, labels={})
    assert [(step.name, step.bits) for step in steps] == [("prior", -1.0), ("name", 9.0), ("beyond_the_pair", 4.0)]


def test_the_scorers_own_start_replaces_the_models() -> None:
    row = {"mw_name": 9.0, "gamma_name": 1, "evidence_bits": 9.0, "match_weight": -7.0}
    steps = waterfall_steps(row, prior=-3.0, labels={})
    assert [(step.name, step.bits) for step in steps] == [("prior", -16.0), ("name", 9.0)]


def test_a_null_weight_counts_as_nothing() -> None:
    (step,) = waterfall_steps({"bf_name": None, "gamma_name": -1, "match_weight": 0.0}, prior=None, labels={})
    assert step.bits == 0.0


def test_levels_are_numbered_as_splink_numbers_them() -> None:
    levels = [
        {"is_null_level": True},
        {"label_for_charts": "a"},
        {"label_for_charts": "b"},
        {"label_for_charts": "else"},
    ]
    (comparison,) = comparisons_of({"comparisons": [{"output_column_name": "x", "comparison_levels": levels}]}, {})
    assert [level.gamma for level in comparison.levels] == [-1, 2, 1, 0]


@pytest.mark.parametrize("share", [None, 0.0, 1.0, "0.1"])
def test_no_prior_is_made_of_a_share_that_is_none(share: object) -> None:
    assert prior_bits({"probability_two_random_records_match": share}) is None
