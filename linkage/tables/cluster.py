"""Groups of records of one thing, from scored pairs of one table.

Rules
- Groups first: records joined by pairs with at least `link_at`, directly or through others.
- A group larger than `max_group` is cut at its weakest pairs, one bit more at a time; what 20 bits do not cut stays as
  it is. Both are counted in the report, never silent.
- Average linkage then splits a group: from single records upwards, the two clusters whose pairs have the highest mean
  probability are joined, while that mean is at least `mean_probability`. So one strong pair cannot chain two persons
  together whose other records contradict it. A pair without a score counts as 0.
- A group without a pair below `mean_probability` cannot split and is not looked at again.
- Nothing depends on the order of the pairs. Average linkage is SciPy's (nearest-neighbour chain).

>>> pairs = pl.DataFrame({"l": [0, 1, 2], "r": [1, 2, 3], "match_weight": [9.0, 1.0, 9.0]})
>>> pairs = pairs.with_columns(match_probability=1 / (1 + 2 ** -pl.col("match_weight")))
>>> found = groups(pairs, 5, link_at=0.5, max_group=10)
>>> found.members, clusters(pairs, found, mean_probability=0.3)
(array([0, 0, 0, 0, 4]), array([0, 0, 2, 2, 4]))
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MOST_BITS = 20
"""How far the weight of a pair is raised, in bits, to cut a group that is too large: odds of a million to one."""
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Groups:
    """Each record's group, named by its first record; and what became of groups above the cap."""

    members: Ints
    over_cap: int = 0
    records_over_cap: int = 0
    still_over_cap: int = 0

    @property
    def largest(self) -> int:
        """Records in the largest group."""
        return int(np.bincount(self.members).max()) if len(self.members) else 0

    def row(self) -> dict[str, int]:
        """What `run.json` tells."""
        return {
            "groups": len(np.unique(self.members)),
            "largest_group": self.largest,
            "groups_over_cap": self.over_cap,
            "records_over_cap": self.records_over_cap,
            "groups_still_over_cap": self.still_over_cap,
        }


def components(l_ids: Ints, r_ids: Ints, records: int) -> Ints:
    """Each record's component, named by its first record.

    >>> components(np.array([3, 1]), np.array([1, 2]), 5)
    array([0, 1, 1, 1, 4])
    """
    if records == 0:
        return np.zeros(0, dtype=np.int64)
    graph = coo_array((np.ones(len(l_ids), dtype=np.int8), (l_ids, r_ids)), shape=(records, records))
    _, labels = connected_components(graph, directed=False)
    first = np.full(labels.max() + 1, records, dtype=np.int64)
    np.minimum.at(first, labels, np.arange(records, dtype=np.int64))
    return np.asarray(first[labels])


def _too_large(members: Ints, cap: int) -> npt.NDArray[np.bool_]:
    return np.asarray(np.bincount(members, minlength=len(members))[members] > cap)


def groups(pairs: pl.DataFrame, records: int, *, link_at: float, max_group: int) -> Groups:
    """The groups of records 0 … `records` - 1, none above the cap if its pairs allow."""
    joined = pairs.filter(pl.col("match_probability") >= link_at)
    l_ids, r_ids = joined["l"].to_numpy().astype(np.int64), joined["r"].to_numpy().astype(np.int64)
    bits = joined["match_weight"].to_numpy()
    members = components(l_ids, r_ids, records)
    large = _too_large(members, max_group)
    first = Groups(members, len(np.unique(members[large])), int(large.sum()))
    for least in range(1, MOST_BITS + 1):
        if not large.any():
            break
        kept = ~large[l_ids] | (bits >= least)
        members = components(l_ids[kept], r_ids[kept], records)
        large = _too_large(members, max_group)
        l_ids, r_ids, bits = l_ids[kept], r_ids[kept], bits[kept]
    return Groups(members, first.over_cap, first.records_over_cap, len(np.unique(members[large])))


def average_linkage(l_ids: Ints, r_ids: Ints, probability: Floats, *, mean_probability: float) -> tuple[Ints, Ints]:
    """The records of one group, ascending, and the cluster of each, named by its first record."""
    records = np.unique(np.concatenate([l_ids, r_ids]))
    size = len(records)
    first = np.searchsorted(records, np.minimum(l_ids, r_ids))
    second = np.searchsorted(records, np.maximum(l_ids, r_ids))
    apart = np.ones(size * (size - 1) // 2)
    apart[size * first - first * (first + 1) // 2 + second - first - 1] = 1.0 - probability
    labels = fcluster(linkage(apart, "average"), 1.0 - mean_probability + _ROUNDING, "distance")
    names = {label: int(record) for record, label in zip(records[::-1], labels[::-1], strict=True)}
    return records, np.array([names[label] for label in labels], dtype=np.int64)


def _contested(inside: pl.DataFrame, sizes: Ints, mean_probability: float) -> pl.DataFrame:
    """The pairs of groups that average linkage might split."""
    by_group = inside.group_by("group_no").agg(
        good=(pl.col("match_probability") >= mean_probability).sum().cast(pl.Int64)
    )
    size = pl.Series(sizes[by_group["group_no"].to_numpy()])
    return inside.join(by_group.filter(by_group["good"] < size * (size - 1) // 2), on="group_no", how="semi")


def clusters(pairs: pl.DataFrame, found: Groups, *, mean_probability: float, max_group: int | None = None) -> Ints:
    """Each record's cluster, named by its first record; groups above `max_group` stay whole."""
    members = found.members
    groups_of = pl.Series("group_no", members[pairs["l"].to_numpy()], dtype=pl.Int64)
    inside = pairs.select("l", "r", "match_probability").with_columns(groups_of)
    inside = inside.filter(inside["group_no"] == pl.Series(members[inside["r"].to_numpy()]))
    sizes = np.bincount(members, minlength=len(members))
    contested = _contested(inside, sizes, mean_probability).sort("group_no", "l", "r")
    named = members.copy()
    for (number,), part in contested.group_by(["group_no"], maintain_order=True):
        if max_group is None or sizes[int(str(number))] <= max_group:
            l_ids, r_ids = part["l"].to_numpy(), part["r"].to_numpy()
            probability = part["match_probability"].to_numpy()
            records, names = average_linkage(l_ids, r_ids, probability, mean_probability=mean_probability)
            named[records] = names
    return named


def membership(pairs: pl.DataFrame, cluster: Ints, ids: pl.Series) -> pl.DataFrame:
    """One row a record: its cluster, its best weight there, and its mean probability with the others there."""
    members = pl.Series("cluster", cluster, dtype=pl.Int64)
    measures = ["match_weight", "match_probability"]
    together = pairs.filter(members.gather(pairs["l"]) == members.gather(pairs["r"]))
    ends = pl.concat([together.select(pl.col(side).alias("id"), *measures) for side in ("l", "r")])
    own = ends.group_by("id").agg(pl.col("match_weight").max(), pl.col("match_probability").sum())
    everyone = pl.DataFrame({"id": range(len(ids)), "cluster": members}, schema_overrides={"id": pairs.schema["l"]})
    frame = everyone.with_columns(others=pl.len().over("cluster") - 1)
    frame = frame.join(own, on="id", how="left", maintain_order="left")
    joined = pl.col("others") > 0
    return frame.select(
        unique_id=ids,
        cluster_id=ids.gather(frame["cluster"]),
        match_weight=pl.when(joined).then("match_weight"),
        match_probability=pl.when(joined).then(pl.col("match_probability") / pl.col("others")),
        decision=pl.when(joined).then(pl.lit("link")).otherwise(pl.lit("no_match")),
    )
