"""Groups are split where the whole of their pairs contradicts one strong pair."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from linkage.tables.cluster import clusters, components, groups, membership


def frame(pairs: dict[tuple[int, int], float]) -> pl.DataFrame:
    """Pairs with their probability."""
    rows = [(*pair, probability) for pair, probability in pairs.items()]
    made = pl.DataFrame(rows, schema={"l": pl.Int32, "r": pl.Int32, "match_probability": pl.Float64}, orient="row")
    odds = pl.col("match_probability") / (1 - pl.col("match_probability"))
    return made.with_columns(match_weight=odds.log(2.0))


def found(pairs: dict[tuple[int, int], float], records: int, *, mean: float = 0.5, cap: int = 100) -> list[int]:
    table = frame(pairs)
    made = groups(table, records, link_at=0.5, max_group=cap)
    return clusters(table, made, mean_probability=mean, max_group=cap).tolist()


def whole(records: list[int], probability: float = 0.99) -> dict[tuple[int, int], float]:
    return dict.fromkeys(itertools.combinations(records, 2), probability)


def test_a_chain_is_cut_where_its_ends_contradict_each_other() -> None:
    assert found({(0, 1): 0.99, (1, 2): 0.9}, 3) == [0, 0, 2]


def test_a_chain_whose_ends_were_never_compared_holds_at_a_lower_mean() -> None:
    assert found({(0, 1): 0.99, (1, 2): 0.9}, 3, mean=0.4) == [0, 0, 0]


def test_a_bridge_between_two_full_groups_is_cut() -> None:
    assert found({**whole([0, 1, 2]), **whole([3, 4, 5]), (2, 3): 0.99}, 6) == [0, 0, 0, 3, 3, 3]


def test_two_groups_with_most_pairs_between_them_are_one() -> None:
    between = dict.fromkeys([(0, 3), (0, 4), (1, 3), (1, 4), (2, 5)], 0.95)
    assert found({**whole([0, 1, 2]), **whole([3, 4, 5]), **between}, 6) == [0] * 6


def test_a_group_without_contradiction_stays_whole() -> None:
    assert found(whole([1, 2, 4]), 5) == [0, 1, 1, 3, 1]


def test_a_mean_just_at_the_limit_still_joins() -> None:
    assert found({(0, 1): 0.9, (0, 2): 0.6, (1, 2): 0.4}, 3, mean=0.5) == [0, 0, 0]
    assert found({(0, 1): 0.9, (0, 2): 0.6, (1, 2): 0.39}, 3, mean=0.5) == [0, 0, 2]


def test_pairs_below_the_limit_make_no_group_and_lone_records_stay_alone() -> None:
    assert found({(0, 1): 0.4, (2, 3): 0.6}, 5) == [0, 1, 2, 2, 4]


def test_no_pairs_and_no_records_are_fine() -> None:
    assert found({}, 3) == [0, 1, 2]
    assert found({}, 0) == []


@given(st.permutations(range(6)), st.integers(0, 2**32 - 1))
def test_the_order_of_pairs_and_ties_among_them_change_nothing(order, seed) -> None:
    rng = np.random.default_rng(seed)
    pairs = {pair: float(rng.choice([0.05, 0.9, 0.9, 0.99])) for pair in itertools.combinations(range(4), 2)}
    items = list(pairs.items())
    shuffled = dict(items[place] for place in order)
    assert found(pairs, 4) == found(shuffled, 4)


def test_a_group_above_the_cap_is_cut_at_its_weakest_pairs_and_counted() -> None:
    pairs = {**whole([0, 1, 2], 0.9999), **whole([3, 4, 5], 0.9999), (2, 3): 0.6}
    made = groups(frame(pairs), 7, link_at=0.5, max_group=4)
    assert made.members.tolist() == [0, 0, 0, 3, 3, 3, 6]
    assert (made.over_cap, made.records_over_cap, made.still_over_cap, made.largest) == (1, 6, 0, 3)


def test_a_group_that_nothing_cuts_stays_whole_and_is_counted() -> None:
    pairs = {(0, 1): 1 - 1e-9, (1, 2): 1 - 1e-9}
    made = groups(frame(pairs), 3, link_at=0.5, max_group=2)
    assert made.still_over_cap == 1
    assert clusters(frame(pairs), made, mean_probability=0.9, max_group=2).tolist() == [0, 0, 0]


def test_cutting_one_group_leaves_the_others_alone() -> None:
    pairs = {(0, 1): 0.6, (1, 2): 0.99999, (2, 3): 0.6, (5, 6): 0.6}
    assert groups(frame(pairs), 7, link_at=0.5, max_group=2).members.tolist() == [0, 1, 1, 3, 4, 5, 5]


def test_components_are_named_by_their_first_record() -> None:
    assert components(np.array([4, 2]), np.array([2, 1]), 5).tolist() == [0, 1, 1, 3, 1]


def test_each_record_has_one_row_with_its_mean_probability_in_its_cluster() -> None:
    pairs = frame({(0, 1): 0.75, (1, 2): 0.9, (0, 2): 0.5, (2, 3): 0.2})
    rows = membership(pairs, np.array([0, 0, 0, 3]), pl.Series(["a", "b", "c", "d"]))
    assert rows["cluster_id"].to_list() == ["a", "a", "a", "d"]
    assert rows["match_probability"].round(3).to_list() == [0.625, 0.825, 0.7, None]
    assert rows["decision"].to_list() == ["link", "link", "link", "no_match"]
