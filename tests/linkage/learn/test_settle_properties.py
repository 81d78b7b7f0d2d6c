"""What holds for any answers whatever: nobody gets land without a proof, and nothing is given twice."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from linkage.learn.settle import Settled, settle
from tests.linkage.learn import answers as told

CITIZENS = (told.A, told.B, told.C)
KINDS = (
    told.PROVEN, told.BY_OFFICER, told.BARE_YES, told.DENIED, told.UNSURE, told.FRAUD, told.EXPIRED, told.DECLINED,
    told.WITHDRAWN, told.DISPUTED,
)  # fmt: skip

WORLD = told.places(
    told.place("a", "L1", hand=0),
    told.place("b", "L2", hand=0),
    told.place("c", "L3", hand=0, serial=None),
    told.place("d", "L1", role="co_owner", hand=1),
    told.place("e", "L2", role="co_owner", hand=1),
    told.place("f", "L4", hand=2),
)

said = st.lists(
    st.tuples(st.sampled_from(WORLD["item_id"].to_list()), st.sampled_from(CITIZENS), st.sampled_from(KINDS)),
    max_size=14,
)
linked = st.lists(st.tuples(st.sampled_from(["L1", "L2", "L3", "L4"]), st.sampled_from(CITIZENS)), max_size=3)


def played(entries: list[tuple[str, str, told.Kind]], held: list[tuple[str, str]]) -> Settled:
    return settle(told.answers(*entries), told.asked(WORLD, *CITIZENS), WORLD, told.held(*held))


def given_to(result: Settled) -> pl.DataFrame:
    return result.outcomes.drop_nulls("citizen_id").join(WORLD.select("item_id", "hand"), on="item_id")


@given(said, linked)
def test_whoever_gets_a_place_has_proven_one_of_its_hand(
    entries: list[tuple[str, str, told.Kind]], held: list[tuple[str, str]]
) -> None:
    result = played(entries, held)
    last = {(item, who): kind for item, who, kind in entries}
    hand_of = dict(WORLD.select("item_id", "hand").iter_rows())
    proven = {(hand_of[item], who) for (item, who), kind in last.items() if kind in (told.PROVEN, told.BY_OFFICER)}
    for row in given_to(result).iter_rows(named=True):
        assert (row["hand"], row["citizen_id"]) in proven
        assert last.get((row["item_id"], row["citizen_id"])) not in (told.DENIED, told.UNSURE, told.FRAUD)


@given(said, linked)
def test_nobody_holds_two_places_on_a_line_and_no_hand_has_two_owners(
    entries: list[tuple[str, str, told.Kind]], held: list[tuple[str, str]]
) -> None:
    owned = given_to(played(entries, held))
    places = [*owned.select("owner_record_id", "citizen_id").iter_rows(), *set(held)]
    assert len(places) == len(set(places))
    assert owned.is_empty() or owned.group_by("hand").agg(pl.col("citizen_id").n_unique())["citizen_id"].max() == 1


@given(said, linked)
def test_every_item_ends_exactly_once(entries: list[tuple[str, str, told.Kind]], held: list[tuple[str, str]]) -> None:
    outcomes = played(entries, held).outcomes
    assert outcomes["item_id"].sort().to_list() == WORLD["item_id"].sort().to_list()
    settled = outcomes["outcome"].is_in(["confirmed", "same_hand"])
    assert (settled == outcomes["citizen_id"].is_not_null()).all()


@given(said, linked, st.randoms(use_true_random=False))
def test_only_the_last_word_of_each_counts_and_not_the_order_among_citizens(
    entries: list[tuple[str, str, told.Kind]], held: list[tuple[str, str]], chance: object
) -> None:
    last = list({(item, who): (item, who, kind) for item, who, kind in entries}.values())
    chance.shuffle(last)  # type: ignore[attr-defined]
    first, again = (played(some, held).outcomes.sort("item_id") for some in (entries, last))
    assert first.equals(again)
