"""The prior is found from the weights themselves, or from rules that are all but certain."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from linkage.blocking.rules import BlockingRule
from linkage.engines.duckdb import connect, load
from linkage.tables.prior import from_certain_pairs, share_of_matches


@pytest.mark.parametrize("matches", [500, 5_000, 50_000])
def test_the_share_of_matches_is_found_from_weights_that_overlap(matches) -> None:
    rng = np.random.default_rng(1)
    mean = 6**2 * np.log(2) / 2  # weights that tell the truth: normal, this far from zero on either side, deviation 6
    bits = np.concatenate([rng.normal(mean, 6, matches), rng.normal(-mean, 6, 200_000)])
    share = share_of_matches(bits, np.ones_like(bits), all_pairs=len(bits))
    assert share == pytest.approx(matches / len(bits), rel=0.1)


def test_where_nothing_matches_one_match_is_still_expected() -> None:
    assert share_of_matches(np.array([-20.0]), np.array([1000.0]), all_pairs=1e6) == 1e-6
    assert share_of_matches(np.array([]), np.array([]), all_pairs=1.0) == 0.5


def test_certain_pairs_over_their_recall_over_all_pairs_are_the_prior() -> None:
    con = connect(threads=1)
    load(con, "t", pl.DataFrame({"id": range(100), "key": [n // 2 if n < 20 else n for n in range(100)]}))
    share = from_certain_pairs(con, [BlockingRule(("key",))], 0.5, left="t", right="t", dedupe=True)
    assert share == pytest.approx(10 / 0.5 / 4950)
