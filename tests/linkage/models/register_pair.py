"""Two small tables of compared columns with known pairs, for tests of training and scoring."""

from __future__ import annotations

import numpy as np
import polars as pl

from linkage.engines.duckdb import Connection, load


def fill(con: Connection, *, citizens: int = 2000, seed: int = 3) -> None:
    """`left_rows` and `right_rows`: the right row n is the left row n with slips in a tenth of its values."""
    rng = np.random.default_rng(seed)
    name = rng.integers(0, 400, citizens)
    year = rng.integers(1930, 2000, citizens)
    sex = rng.choice(["M", "F"], citizens)
    commune = rng.integers(0, 30, citizens)
    left = pl.DataFrame(
        {
            "id": np.arange(citizens, dtype=np.int32),
            "name": [f"n{n}" for n in name],
            "year": year,
            "sex": sex,
            "commune": commune,
        }
    )
    slip = lambda values, other: np.where(rng.random(citizens) < 0.1, other, values)  # noqa: E731 - three uses below
    right = pl.DataFrame(
        {
            "id": np.arange(citizens, dtype=np.int32),
            "name": [f"n{n}" for n in slip(name, rng.integers(0, 400, citizens))],
            "year": slip(year, rng.integers(1930, 2000, citizens)),
            "sex": slip(sex, rng.choice(["M", "F"], citizens)),
            "commune": slip(commune, rng.integers(0, 30, citizens)),
        }
    )
    frequency = left.group_by("name").agg(tf_name=pl.len() / citizens)
    load(con, "left_rows", left.join(frequency, on="name", how="left"))
    load(con, "right_rows", right.join(frequency, on="name", how="left"))
