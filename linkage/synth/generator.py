"""`generate`: a population, a land register with known errors, and the truth that joins them.

Rules
- The same (citizens, seed, profile) give the same files, on any machine with the same libraries.
- Truth names a person also where the register does not know them; then `citizen_id` is null.
- `applied_errors.parquet` says for every mention which errors of the catalogue were written; it is for tests and
  subgroups, no engine may read it.

Worked example: `generate(20_000, Path("demo"))` writes land_owners.parquet, citizens.parquet, truth.parquet,
applied_errors.parquet and a PL3-01 workbook with its own truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from linkage.errors import ConfigError
from linkage.synth import register
from linkage.synth.catalogue import Catalogue
from linkage.synth.draw import stream
from linkage.synth.holdings import make_certificates, mention_counts
from linkage.synth.mentions import make_mentions
from linkage.synth.places import make_places
from linkage.synth.population import citizens_frame, digits, enrol, grow, issue_numbers
from linkage.synth.workbook import Source, write_workbook

SMALLEST = 200


@dataclass(frozen=True)
class Summary:
    """What was written."""

    folder: Path
    profile: str
    seed: int
    citizens: int
    lines: int
    mentions: int
    persons: int
    persons_in_register: int
    communes: int


def generate(citizens: int, out: Path, *, seed: int = 1, profile: str | Path = "mixed") -> Summary:
    """Write a register of `citizens` people and the land register of their communes into `out`."""
    if citizens < SMALLEST:
        message = f"--citizens: expected at least {SMALLEST}, found {citizens}; ask for more."
        raise ConfigError(message)
    catalogue = Catalogue.load(profile)
    out.mkdir(parents=True, exist_ok=True)
    places = make_places(stream(seed, "places"), citizens, catalogue.profile)
    tree = grow(stream(seed, "tree"), places, citizens, catalogue)
    certificates = make_certificates(stream(seed, "certificates"), tree, places, citizens, catalogue)
    inside = enrol(stream(seed, "enrol"), tree, mention_counts(certificates, len(tree)), citizens, catalogue)
    numbers = issue_numbers(stream(seed, "numbers"), tree, places)
    people = citizens_frame(stream(seed, "citizens"), tree, places, numbers, inside, catalogue)
    people.write_parquet(out / "citizens.parquet")

    register.order_spouses(stream(seed, "spouses"), certificates)
    layout = register.lay_out(stream(seed, "layout"), certificates, catalogue)
    ways = register.draw_letters(stream(seed, "letters"), len(certificates))
    mentions = make_mentions(stream(seed, "mentions"), tree, numbers, certificates, layout.hidden, inside, catalogue)
    papers, bodies = register.make_papers(
        stream(seed, "papers"), tree, places, certificates, layout, mentions, ways, catalogue
    )
    parcels = register.make_parcels(stream(seed, "parcels"), places, certificates, layout, ways, catalogue)
    issued = register.certificate_columns(stream(seed, "issued"), certificates, catalogue)
    lines, paper = register.make_lines(papers, certificates, parcels, issued)
    known = digits(np.where(inside, numbers.citizen, -1), 12)
    truth, applied = register.make_truth(
        known, certificates, papers, mentions, paper, lines["owner_record_id"], bodies.of
    )
    for name, frame in (("land_owners", lines), ("truth", truth), ("applied_errors", applied)):
        frame.write_parquet(out / f"{name}.parquet")
    written = register.apply_letters(mentions.name, mentions.certificate, layout, ways)
    source = Source(
        tree, numbers, places, certificates, mentions, written, layout.glued, parcels, issued, papers.addresses, bodies
    )
    write_workbook(stream(seed, "workbook"), source, known, out)
    persons = truth.filter(pl.col("kind") == "person").select("person", "citizen_id").unique()
    return Summary(
        folder=out, profile=catalogue.profile, seed=seed, citizens=people.height, lines=lines.height,
        mentions=truth.height, persons=persons.height, persons_in_register=persons["citizen_id"].count(),
        communes=len(places.new_codes),
    )  # fmt: skip
