"""Training finds the rates that made the data, and refuses what it cannot learn from."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from linkage.compare.comparisons import exact
from linkage.engines.duckdb import Connection, connect
from linkage.errors import ModelError, NotConvergedError
from linkage.models import estimation
from linkage.models.training import TrainingPlan, exact_agreement, train
from tests.linkage.models.register_pair import fill

COMPARISONS = (exact("name", term_frequency=True), exact("year"), exact("sex"), exact("commune"))
PLAN = TrainingPlan(blocks=(("name",), ("year",)), u_pairs=200_000, block_pairs=100_000)


def test_m_and_u_come_close_to_the_rates_that_made_the_data() -> None:
    con = connect(threads=1)
    fill(con)
    model = train(con, COMPARISONS, PLAN, left="left_rows", right="right_rows").model
    assert model.m_probability["year"]["same"] == pytest.approx(0.9, abs=0.03)
    assert model.m_probability["sex"]["same"] == pytest.approx(0.95, abs=0.03)
    assert model.u_probability["name"]["same"] == pytest.approx(1 / 400, rel=0.3)
    assert model.u_probability["sex"]["same"] == pytest.approx(0.5, abs=0.02)


def test_the_same_seed_gives_the_same_model() -> None:
    models = []
    for _ in range(2):
        con = connect(threads=2)
        fill(con)
        models.append(train(con, COMPARISONS, PLAN, left="left_rows", right="right_rows").model)
    assert models[0].m_probability == models[1].m_probability
    assert models[0].u_probability == models[1].u_probability


def test_a_comparison_that_every_block_fixes_keeps_the_guess_and_says_so() -> None:
    con = connect(threads=1)
    fill(con)
    plan = TrainingPlan(blocks=(("name",),), u_pairs=10_000, block_pairs=10_000)
    trained = train(con, COMPARISONS, plan, left="left_rows", right="right_rows")
    assert trained.guessed == ("name",)
    assert trained.model.m_probability["name"]["same"] == pytest.approx(0.9)


def test_an_empty_side_is_refused_in_one_sentence() -> None:
    con = connect(threads=1)
    fill(con)
    con.execute("delete from right_rows")
    with pytest.raises(ModelError, match="expected rows on both sides"):
        train(con, COMPARISONS, PLAN, left="left_rows", right="right_rows")


def test_em_that_does_not_settle_is_an_error() -> None:
    rng = np.random.default_rng(1)
    patterns = rng.integers(0, 2, (64, 6))
    with pytest.raises(NotConvergedError, match="within 1 iterations"):
        estimation.run_em(
            patterns,
            rng.random(64) * 100,
            [np.array([0.3, 0.7])] * 6,
            [np.array([0.6, 0.4])] * 6,
            smoothing=1.0,
            max_iterations=1,
        )


def test_smoothing_keeps_a_level_that_never_occurs_above_zero() -> None:
    patterns = np.array([[1, 1], [1, 0]])
    result = estimation.run_em(
        patterns,
        np.array([1000.0, 1.0]),
        [np.array([0.1, 0.9])] * 2,
        [np.array([0.99, 0.01])] * 2,
        smoothing=20.0,
    )
    assert result.m[0][0] > 0.001


def test_a_level_that_the_sample_never_shows_keeps_its_floor() -> None:
    u = estimation.u_from_counts(np.array([1000.0, 0.0]), {}, np.array([0.0, 1e-5]))
    assert u[1] == pytest.approx(1e-5)
    assert u.sum() == pytest.approx(1.0)


def test_null_patterns_weigh_nothing() -> None:
    con = connect(threads=1)
    fill(con)
    con.execute("update right_rows set sex = null")
    model = train(con, COMPARISONS[:2], PLAN, left="left_rows", right="right_rows").model
    assert isinstance(model.m_probability["name"]["same"], float)
    assert pl.DataFrame(model.u_probability).height == 1


def _doubled() -> Connection:
    con = connect(threads=1)
    fill(con)
    copies = "select * replace (id + 2000 as id) from right_rows"
    con.execute(f"create table both_rows as select * from left_rows union all {copies}")
    return con


def test_one_table_with_its_copies_teaches_the_same_rates() -> None:
    model = train(_doubled(), COMPARISONS, PLAN, left="both_rows", right="both_rows", dedupe=True).model
    assert model.m_probability["year"]["same"] == pytest.approx(0.9, abs=0.03)
    assert model.u_probability["sex"]["same"] == pytest.approx(0.5, abs=0.02)


def test_a_record_is_never_paired_with_itself() -> None:
    con = _doubled()
    alone = "(select * from both_rows where id < 2)"
    assert exact_agreement(con, alone, alone, ["id"], dedupe=True) == 0.0
    assert exact_agreement(con, alone, alone, ["id"]) == 0.5


def test_a_caller_may_say_what_a_block_fixes() -> None:
    con = connect(threads=1)
    fill(con)
    everything = lambda comparison, equal: comparison.name in {"sex", *equal}  # noqa: E731 - one use
    trained = train(con, COMPARISONS, PLAN, left="left_rows", right="right_rows", fixes=everything)
    assert trained.guessed == ("sex",)
