from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from linkage.synth.draw import Pool, allot, pick_within, stream


@given(st.floats(0, 1), st.integers(1, 400), st.integers(0, 5))
def test_a_share_is_met_to_within_one_unit(rate, size, seed):
    weights = 1 + np.arange(size) % 5
    chosen = allot(stream(seed, "test"), weights, [rate]) == 0
    assert abs(weights[chosen].sum() - rate * weights.sum()) <= 5


def test_nobody_outside_is_picked():
    among = np.arange(100) % 2 == 0
    assert not pick_within(stream(1, "test"), 1.0, np.ones(100), among)[~among].any()


def test_a_pool_draws_from_the_window_only():
    pool = Pool.of(np.arange(10), np.arange(1950, 1960), np.ones(10))
    drawn = pool.draw(stream(1, "test"), np.full(500, 1953), np.full(500, 1955))
    assert set(drawn.tolist()) == {3, 4, 5}


def test_an_empty_window_gives_nobody():
    pool = Pool.of(np.arange(10), np.arange(1950, 1960), np.ones(10))
    assert pool.draw(stream(1, "test"), np.array([1990]), np.array([1999])).tolist() == [-1]


def test_streams_of_two_stages_differ():
    assert stream(1, "a").random() != stream(1, "b").random()
