"""Same hand: which lines of one gathered person one proof settles together.

Rules
- Gathering joins lines by likeness too (name with year and commune). That is good enough to ask once, and not good
  enough to put land under a name because a neighbouring line was proven. Two lines are of one *hand* only where
  they show the same certificate number, or the same 12- or 9-digit number, beside the same name.
- A hand never reaches beyond the person that gathering made.
- Sharing is transitive: a certificate joins the lines that a number joins.
- A line that shares nothing is a hand of its own.

>>> lines = pl.DataFrame(
...     {
...         "person_id": ["P", "P", "P"],
...         "name_folded": ["le a", "le a", "le a"],
...         "serial": ["AB123456", "AB123456", None],
...         "id12": [None, None, None],
...         "id9": [None, None, None],
...     }
... )
>>> hands(lines).to_list()
[0, 0, 1]
"""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

PROOFS = ("serial", "id12", "id9")
"""What two lines must share, beside the name, for one proof to hold for both."""


def _edges(lines: pl.DataFrame, proof: str) -> pl.DataFrame:
    """Each line and the first line of its person with the same name and the same `proof`."""
    shared = lines.filter(pl.col(proof).is_not_null() & pl.col("name_folded").is_not_null())
    return shared.select("line", root=pl.col("line").min().over("person_id", "name_folded", proof))


def hands(lines: pl.DataFrame) -> pl.Series:
    """The number of the hand of each row; needs `person_id`, `name_folded` and the columns of `PROOFS`."""
    numbered = lines.with_columns(line=pl.int_range(pl.len(), dtype=pl.Int32))
    edges = pl.concat([_edges(numbered, proof) for proof in PROOFS])
    size = lines.height
    graph = coo_matrix((np.ones(edges.height, dtype=np.int8), (edges["line"], edges["root"])), shape=(size, size))
    return pl.Series("hand", connected_components(graph, directed=False)[1], dtype=pl.Int32)
