"""The old model and the new one."""

from __future__ import annotations

import polars as pl
import pytest

from linkage.compare.comparisons import from_catalogue
from linkage.learn.compare import held_out, levels, weighed_anew
from linkage.models.model import Model

SEX = from_catalogue("sex")
LABELS = [level.label for level in SEX.scored]


def model(**m: float) -> Model:
    u = dict.fromkeys(LABELS, 0.5)
    return Model((SEX,), {"sex": m or {"same": 0.98, "different": 0.02}}, {"sex": u}, 0.001)


def candidates() -> pl.DataFrame:
    """One person: two candidates with weights 3 and 0 bits, and an eighth of the evidence elsewhere."""
    total = 8.0 + 1.0 + 1.0
    gamma = {level.label: SEX.gamma(level) for level in SEX.scored}
    return pl.DataFrame(
        {
            "l": [0, 1],
            "r": [0, 0],
            "gamma_sex": [gamma["same"], gamma["different"]],
            "match_weight": [3.0, 0.0],
            "match_probability": [8.0 / total, 1.0 / total],
            "rank": [1, 2],
        },
        schema_overrides={"gamma_sex": pl.Int8, "rank": pl.Int64},
    )


def test_the_same_model_changes_nothing() -> None:
    again = weighed_anew(candidates(), model(), model(), share=0.9)
    assert again["match_probability"].to_list() == pytest.approx([0.8, 0.1])
    assert again["rank"].to_list() == [1, 2]
    assert {row["change_bits"] for row in levels(model(), model())} == {0.0}


def test_a_level_that_weighs_less_moves_the_probabilities_and_their_order() -> None:
    harder = model(same=0.98 / 16, different=1.0 - 0.98 / 16)
    again = weighed_anew(candidates(), model(), harder, share=0.9)
    assert again["match_weight"][0] == pytest.approx(3.0 - 4.0)
    assert again["rank"].to_list() == [2, 1]
    assert again["match_probability"].sum() < 1.0


def test_probabilities_and_nobody_sum_to_one() -> None:
    again = weighed_anew(candidates(), model(), model(same=0.9, different=0.1), share=0.9)
    mass = 2.0 ** again["match_weight"]
    total = mass / again["match_probability"]
    assert total[0] == pytest.approx(total[1])
    assert total[0] == pytest.approx(mass.sum() + 1.0)


def test_held_out_labels_are_weighted_by_what_they_stand_for() -> None:
    labels = pl.DataFrame({"label": [1, 0], "sampling_weight": [3.0, 1.0], "old": [0.995, 0.995], "new": [0.995, 0.2]})
    told = held_out(labels, 0.99)
    assert told["observed"] == 0.75
    assert told["old"]["precision_at_link"] == 0.75
    assert told["new"]["precision_at_link"] == 1.0
    assert told["new"]["log_loss"] < told["old"]["log_loss"]
    assert not told["enough"]


def test_nothing_held_out_is_said() -> None:
    empty = pl.DataFrame(schema={"label": pl.Int8, "sampling_weight": pl.Float64, "old": pl.Float64, "new": pl.Float64})
    assert held_out(empty, 0.99) == {"labels": 0, "enough": False}
