"""The register extract: one row a citizen, with the register's own gaps and slips.

Rules
- Addresses are of today; some people have moved within the province, some out of it (then their household is new).
- Spouse and parents are known for most; the CMND for most of those born before 2000; deaths are marked late at times.
- Old people often have only a year of birth, or 1 January.

The table is that of the contract, 1b: `citizens_frame(rng, world).columns[:2] == ["citizen_id", "full_name"]`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from linkage.synth import names
from linkage.synth.catalogue import Catalogue
from linkage.synth.draw import Flags, Ints, Rng, allot, pick, pick_within
from linkage.synth.places import NEW_FORM, Places, elsewhere, house_numbers
from linkage.synth.population import TODAY, Tree, digits
from linkage.synth.world import World


def _register_births(rng: Rng, tree: Tree, who: Ints, wrong: Flags) -> pl.Series:
    year = tree.birth[who] + np.where(wrong, rng.choice([-1, 1], len(who)), 0)
    day = np.where((tree.birth[who] < 1962) & (rng.random(len(who)) < 0.12), 0, tree.day[who])
    first = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    full = pl.Series(first + day.astype("timedelta64[D]")).dt.to_string("%Y-%m-%d")
    only_year = (tree.birth[who] < 1962) & (rng.random(len(who)) < 0.12)
    return full.zip_with(pl.Series(~only_year), pl.Series(year).cast(pl.String))


def _where(series: pl.Series, keep: Flags) -> pl.Series:
    return pl.select(pl.when(pl.Series(keep)).then(series)).to_series()


@dataclass(frozen=True)
class Homes:
    """Where people are registered today: a hamlet, or -1 for another province."""

    hamlet: Ints
    household: Ints


def _homes(rng: Rng, tree: Tree, places: Places, catalogue: Catalogue, inside: Flags) -> Homes:
    chosen = np.zeros(len(tree), dtype=bool)
    chosen[np.unique(tree.household)] = True
    moves = pick_within(rng, catalogue.rate("owner_moved_within"), np.ones(len(tree)), chosen)
    target = places.draw_hamlets(rng, len(tree))
    hamlet = np.where(moves[tree.household], target[tree.household], tree.hamlet)
    grown = inside & (TODAY - tree.birth >= 18)
    share = catalogue.rate("owner_moved_out") * inside.sum() / max(grown.sum(), 1)
    out = pick_within(rng, min(share, 1.0), np.ones(len(tree)), grown)
    return Homes(np.where(out, -1, hamlet), np.where(out, len(tree) + np.arange(len(tree)), tree.household))


def _residence(rng: Rng, places: Places, hamlet: Ints) -> tuple[pl.Series, pl.Series]:
    out = hamlet < 0
    here = np.where(out, 0, hamlet)
    form = np.where(rng.random(len(hamlet)) < 0.7, NEW_FORM, rng.choice([0, 1], len(hamlet)))
    away_code, away_text = elsewhere(rng, len(hamlet))
    home_code = pl.Series(places.new_codes).gather(places.hamlet_commune[here])
    home_text = house_numbers(rng, places.hamlet_urban[here]) + places.address(here, form)
    inside = pl.Series(~out)
    return home_code.zip_with(inside, away_code), home_text.zip_with(inside, away_text)


def _kin_name(text: pl.Series, kin: Ints, shown: Flags) -> pl.Series:
    return _where(text.gather(np.where(kin >= 0, kin, 0)), shown & (kin >= 0))


def _status(rng: Rng, tree: Tree, who: Ints, catalogue: Catalogue) -> pl.Series:
    ones = np.ones(len(who))
    dead = ~tree.alive[who]
    late = pick_within(rng, catalogue.rate("register_death_late"), ones, dead)
    gone = pick(rng, catalogue.rate("register_emigrated"), ones) & ~dead
    return pl.Series(["alive", "deceased", "emigrated"]).gather(np.where(gone, 2, np.where(dead & ~late, 1, 0)))


def _register_errors(rng: Rng, size: int, catalogue: Catalogue) -> tuple[Flags, Flags, Flags]:
    rate = catalogue.rate("register_error")
    kind = allot(rng, np.ones(size), [rate * 0.4, rate * 0.4, rate * 0.2])
    return kind == 0, kind == 1, kind == 2


def citizens_frame(rng: Rng, world: World) -> pl.DataFrame:
    """The register extract of the contract (1b), in an order that says nothing."""
    tree, places, numbers, inside, catalogue = world.tree, world.places, world.numbers, world.inside, world.catalogue
    homes = _homes(rng, tree, places, catalogue, inside)
    who = rng.permutation(np.flatnonzero(inside))
    size, ones = len(who), np.ones(len(who))
    bad_name, bad_birth, bad_former = _register_errors(rng, size, catalogue)
    written = tree.name[who]
    written[bad_name] = names.misspell_accent(rng, written[bad_name])
    true_text = names.text_of(tree.name)
    code, address = _residence(rng, places, homes.hamlet[who])
    former = numbers.former[who] + np.where(bad_former & (numbers.former[who] > 0), rng.integers(1, 9, size), 0)
    filled = pick_within(rng, catalogue.rate("register_former_id_filled"), ones, tree.birth[who] < 2000)
    filled |= (tree.birth[who] >= 2000) & (rng.random(size) < 0.3)
    spouse, both = tree.spouse[who], tree.spouse[who] >= 0
    both &= tree.alive[who] & tree.alive[spouse]
    spouse_known = pick_within(rng, catalogue.rate("register_spouse_filled"), ones, both)
    parents_known = pick(rng, catalogue.rate("register_parents_filled"), ones)
    household = pl.Series(np.unique(homes.household[who], return_inverse=True)[1]).cast(pl.String).str.zfill(8)
    return pl.DataFrame(
        {
            "citizen_id": digits(numbers.citizen[who], 12),
            "full_name": names.text_of(written),
            "former_id_no": digits(np.where(filled, former, -1), 9),
            "birth_date": _register_births(rng, tree, who, bad_birth),
            "sex": pl.Series(["F", "M"]).gather(tree.male[who].astype(np.int64)),
            "commune_code": code,
            "address": address,
            "spouse_name": _kin_name(true_text, spouse, spouse_known),
            "spouse_citizen_id": digits(np.where(spouse_known & inside[spouse], numbers.citizen[spouse], -1), 12),
            "father_name": _kin_name(true_text, tree.father[who], parents_known),
            "mother_name": _kin_name(true_text, tree.mother[who], parents_known),
            "household_id": "H" + household,
            "status": _status(rng, tree, who, catalogue),
        }
    )
