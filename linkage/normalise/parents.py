"""The parents a register names beside each citizen, as folded names."""

from __future__ import annotations

import polars as pl

from linkage.normalise.names import name_columns
from linkage.schemas import PARENTS


def parents(lines: pl.DataFrame) -> pl.DataFrame:
    """The `PARENTS` table of register lines (`CITIZEN_LINES`), in the order read."""
    texts = pl.concat([lines["father_name"].alias("raw"), lines["mother_name"].alias("raw")]).drop_nulls().unique()
    names = name_columns(texts).select("raw", "name_folded")
    out = lines.select("father_name", "mother_name", id=pl.int_range(pl.len(), dtype=pl.Int32))
    for column in ("father", "mother"):
        own = names.rename({"raw": f"{column}_name", "name_folded": f"{column}_folded"})
        out = out.join(own, on=f"{column}_name", how="left", maintain_order="left")
    return PARENTS.check(out)
