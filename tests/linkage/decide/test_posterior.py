"""Probabilities of a person sum to one over its candidates and nobody."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.decide.posterior import in_register, posterior
from linkage.engines.duckdb import connect, fetch, load


def _probabilities(rows: list[tuple[int, int, float]], *, persons: int = 50, citizens: int = 1000) -> pl.DataFrame:
    con = connect(threads=1)
    load(
        con,
        "weights",
        pl.DataFrame(rows, schema={"l": pl.Int32, "r": pl.Int32, "evidence_bits": pl.Float64}, orient="row"),
    )
    posterior(con, "weights", persons=persons, citizens=citizens)
    return fetch(con, "select l, r, rank, match_weight, match_probability as p from candidates order by r, rank")


_SURE = [(n, n, 40.0) for n in range(1, 50)]


def test_two_namesakes_share_the_probability() -> None:
    frame = _probabilities([(1, 0, 30.0), (2, 0, 30.0), *_SURE]).filter(pl.col("r") == 0)
    assert frame["p"].to_list() == pytest.approx([0.5, 0.5], abs=0.01)


def test_a_lone_strong_candidate_wins_and_a_lone_weak_one_loses_to_nobody() -> None:
    assert _probabilities([(1, 0, 30.0), *_SURE]).filter(pl.col("r") == 0)["p"].item() > 0.999
    assert _probabilities([(1, 0, 3.0), *_SURE]).filter(pl.col("r") == 0)["p"].item() < 0.5


def test_ties_are_ordered_by_citizen() -> None:
    frame = _probabilities([(7, 0, 30.0), (2, 0, 30.0), *_SURE]).filter(pl.col("r") == 0)
    assert frame["l"].to_list() == [2, 7]


@given(st.lists(st.floats(-60, 120), min_size=1, max_size=8))
def test_probabilities_never_sum_above_one(bits: list[float]) -> None:
    frame = _probabilities([(n, 0, value) for n, value in enumerate(bits)], persons=1)
    assert frame["p"].sum() <= 1 + 1e-9
    assert frame["p"].is_between(0, 1).all()


def test_the_share_in_the_register_is_found_from_the_data() -> None:
    strong = np.concatenate([np.full(700, 2.0**40), np.zeros(300)])
    assert in_register(strong, citizens=1000) == pytest.approx(0.7, abs=0.01)
