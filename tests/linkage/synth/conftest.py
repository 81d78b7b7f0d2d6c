"""One generated folder for each profile, made once for all tests of the generator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from linkage.synth import Summary, generate
from linkage.synth.catalogue import PROFILES, Catalogue


@dataclass(frozen=True)
class Folder:
    """What `generate` wrote, read back, and every mention of a person with its text, truth and citizen."""

    path: Path
    summary: Summary
    rate: object
    owners: pl.DataFrame
    citizens: pl.DataFrame
    truth: pl.DataFrame
    applied: pl.DataFrame
    mentions: pl.DataFrame


def read_folder(path: Path, summary: Summary) -> Folder:
    owners, citizens, truth, applied = (
        pl.read_parquet(path / f"{name}.parquet") for name in ("land_owners", "citizens", "truth", "applied_errors")
    )
    mentions = (
        truth.filter(pl.col("kind") == "person")
        .join(_columns_of_persons(owners), on=["owner_record_id", "role"], how="left", maintain_order="left")
        .join(applied, on=["owner_record_id", "role"], how="left", maintain_order="left")
        .join(citizens, on="citizen_id", how="left", maintain_order="left")
    )
    rate = Catalogue.load(summary.profile).rate
    return Folder(path, summary, rate, owners, citizens, truth, applied, mentions)


def _columns_of_persons(owners: pl.DataFrame) -> pl.DataFrame:
    fields = ("name", "birth", "sex", "id_no")
    return pl.concat(
        owners.select("owner_record_id", role=pl.lit(role), **{f"written_{f}": f"{role}_{f}" for f in fields})
        for role in ("owner", "co_owner")
    )


@pytest.fixture(scope="session", params=PROFILES)
def folder(request, tmp_path_factory) -> Folder:
    path = tmp_path_factory.mktemp(request.param)
    return read_folder(path, generate(20_000, path, seed=7, profile=request.param))
