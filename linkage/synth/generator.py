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

import polars as pl

from linkage.errors import ConfigError
from linkage.synth.catalogue import Catalogue
from linkage.synth.draw import stream
from linkage.synth.holdings import make_certificates, mention_counts, order_spouses
from linkage.synth.mentions import make_mentions
from linkage.synth.organisations import named
from linkage.synth.parcels import certificate_columns, make_parcels
from linkage.synth.places import make_places
from linkage.synth.population import enrol, grow, issue_numbers
from linkage.synth.register import Register, make_papers, make_register
from linkage.synth.residents import citizens_frame
from linkage.synth.wording import apply_letters, lay_out
from linkage.synth.workbook import Source, write_workbook
from linkage.synth.world import World

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
    world = _make_world(citizens, seed, catalogue)
    people = citizens_frame(stream(seed, "citizens"), world)
    people.write_parquet(out / "citizens.parquet")
    land = _write_land(world, seed, out)
    for name, frame in (("land_owners", land.lines), ("truth", land.truth), ("applied_errors", land.applied)):
        frame.write_parquet(out / f"{name}.parquet")
    persons = land.truth.filter(pl.col("kind") == "person").select("person", "citizen_id").unique()
    return Summary(
        folder=out, profile=catalogue.profile, seed=seed, citizens=people.height, lines=land.lines.height,
        mentions=land.truth.height, persons=persons.height, persons_in_register=persons["citizen_id"].count(),
        communes=len(world.places.new_codes),
    )  # fmt: skip


def _make_world(citizens: int, seed: int, catalogue: Catalogue) -> World:
    """People, their land, and who of them the register knows."""
    places = make_places(stream(seed, "places"), citizens, catalogue.profile)
    tree = grow(stream(seed, "tree"), places, citizens, catalogue)
    certificates = make_certificates(stream(seed, "certificates"), tree, places, citizens, catalogue)
    order_spouses(stream(seed, "spouses"), certificates)
    inside = enrol(stream(seed, "enrol"), tree, mention_counts(certificates, len(tree)), citizens, catalogue)
    numbers = issue_numbers(stream(seed, "numbers"), tree, places)
    return World(tree, places, numbers, certificates, inside, catalogue)


def _write_land(world: World, seed: int, out: Path) -> Register:
    """The land register of that world, and its sample as a workbook."""
    layout = lay_out(stream(seed, "layout"), world)
    bodies = named(stream(seed, "bodies"), world.places, world.certificates)
    mentions = make_mentions(stream(seed, "mentions"), world, layout.hidden)
    papers = make_papers(stream(seed, "papers"), world, layout, mentions, bodies)
    parcels = make_parcels(stream(seed, "parcels"), world, layout)
    issued = certificate_columns(stream(seed, "issued"), world)
    names = apply_letters(mentions.name, mentions.certificate, layout)
    source = Source(world, mentions, names, layout.glued, parcels, issued, papers.addresses, bodies)
    write_workbook(stream(seed, "workbook"), source, out)
    return make_register(world, papers, mentions, bodies, parcels, issued)
