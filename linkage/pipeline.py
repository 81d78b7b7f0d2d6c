"""The land register run, as a table of contents: read it from top to bottom.

`link()` reads, normalises, gathers owners, blocks, scores, decides and writes; each call is one step, and each step
leaves tables with a named contract. Nothing here opens a truth file.
"""

from __future__ import annotations

import polars as pl

from linkage.blocking.rules import BlockingReport, BlockingRule, block
from linkage.compare.comparisons import CATALOGUE, Comparison
from linkage.compare.features import features
from linkage.config import Config
from linkage.decide.decisions import Thresholds
from linkage.decide.links import decided_persons, links, one_owner_a_citizen
from linkage.decide.posterior import posterior
from linkage.engines.duckdb import Connection, load
from linkage.models.model import Model
from linkage.models.scoring import weights_sql
from linkage.models.training import Trained, TrainingPlan, train
from linkage.normalise.citizens import citizens as normalise_citizens
from linkage.normalise.lines import mentions as normalise_lines
from linkage.owners import gather


def comparisons_of(config: Config) -> tuple[Comparison, ...]:
    return tuple(CATALOGUE[part.kind]() for part in config.comparisons)


def rules_of(config: Config) -> list[BlockingRule]:
    return [BlockingRule(rule.equal, rule.max_block_pairs) for rule in config.blocking]


def normalise(con: Connection, owner_lines: pl.DataFrame, citizen_lines: pl.DataFrame, config: Config) -> None:
    home = list(config.run.home_provinces)
    load(con, "mentions", normalise_lines(owner_lines, sex_coding=config.sources.owners.sex_coding or None, home_provinces=home))
    ids = owner_lines.select(pl.int_range(pl.len(), dtype=pl.Int32).alias("line"), "owner_record_id")
    load(con, "owner_ids", ids)
    load(con, "citizens", normalise_citizens(citizen_lines, home_provinces=home))


def gather_owners(con: Connection, config: Config) -> None:
    gathered = gather(con, max_others=config.gather.max_others)
    load(con, "persons", gathered.persons)
    load(con, "members", gathered.members)


def train_model(con: Connection, config: Config) -> Trained:
    plan = TrainingPlan(**config.training.model_dump())
    return train(con, comparisons_of(config), plan, left="citizen_features", right="person_features")


def score(con: Connection, model: Model, config: Config) -> tuple[BlockingReport, float]:
    report = block(con, rules_of(config), left="citizen_features", right="person_features")
    con.execute(f"create or replace table weights as {weights_sql(model, 'pairs', 'citizen_features', 'person_features')}")
    counts = con.execute("select (select count(*) from person_features), (select count(*) from citizens)").fetchone()
    assert counts is not None  # a scalar query always gives one row
    return report, posterior(con, "weights", persons=counts[0], citizens=counts[1])


def decide_all(con: Connection, config: Config) -> pl.DataFrame:
    thresholds = Thresholds(**config.decide.model_dump())
    decided_persons(con, comparisons_of(config), thresholds)
    one_owner_a_citizen(con)
    return links(con)


__all__ = ["features"]
