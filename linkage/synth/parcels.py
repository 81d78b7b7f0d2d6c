"""Parcels and the numbers of certificates: where land lies, its codes, serials, register numbers, dates.

Rules
- A parcel has a GeoHash of twelve characters (the national parcel code), a map sheet and a number, no pair twice in an
  old commune. The code of its commune is of the old list, or of the new one for certificates of 2025.
- Some lie in another commune than the owner's home; some codes belong to the other list than the line says.
- Serials: a letter, then two letters, and six digits; from 2025 two letters and eight digits.

>>> geohash(np.array([57.64911]), np.array([10.40744]), 11)[0]
'u4pruydqqvj'
"""

from __future__ import annotations

import numpy as np
import polars as pl

from linkage.synth.draw import Flags, Floats, Ints, Rng, pick
from linkage.synth.holdings import Certificates
from linkage.synth.mentions import any_day, nothing
from linkage.synth.places import Places
from linkage.synth.population import unique_tails
from linkage.synth.wording import Layout, apply_letters, rewrite
from linkage.synth.world import World

# --- parcels ---------------------------------------------------------------------------------------------------------

_USES = ("ONT", "ODT", "LUC", "BHK", "CLN", "RSX", "NTS", "NHK", "T")
_USE_SHARES = {0: (0.1, 0, 0.42, 0.17, 0.1, 0.12, 0.02, 0.03, 0.04), 1: (0, 0.5, 0.12, 0.12, 0.2, 0.02, 0.02, 0, 0.02)}
_AREAS = np.array([400, 160, 650, 500, 900, 9000, 1500, 3000, 350])
_SHEET = 150
_VINTAGES = ("before-2025-07-01", "from-2025-07-01")
_NEW_LIST_FROM = 2025
_BASE32 = np.frombuffer(b"0123456789bcdefghjkmnpqrstuvwxyz", dtype="S1")


def geohash(latitude: Floats, longitude: Floats, length: int = 12) -> pl.Series:
    """GeoHash of points: the form of the national parcel code."""
    bits = length * 5
    x = np.floor((longitude + 180) / 360 * 2.0 ** ((bits + 1) // 2)).astype(np.uint64)
    y = np.floor((latitude + 90) / 180 * 2.0 ** (bits // 2)).astype(np.uint64)
    code = np.zeros(len(x), dtype=np.uint64)
    for k in range(bits):
        source = y if (bits - 1 - k) % 2 else x
        depth = (bits - 1 - k) // 2
        size = bits // 2 if source is y else (bits + 1) // 2
        code |= ((source >> np.uint64(size - 1 - depth)) & np.uint64(1)) << np.uint64(k)
    chars = [
        _BASE32[((code >> np.uint64(5 * (length - 1 - k))) & np.uint64(31)).astype(np.int64)] for k in range(length)
    ]
    return pl.Series(np.stack(chars, axis=1).view(f"S{length}").ravel().astype(str).tolist())


def _numbering(rng: Rng, old: Ints) -> tuple[Ints, Ints]:
    """Map sheet and parcel number, no pair twice within an old commune."""
    order = np.lexsort([rng.random(len(old)), old])
    start = np.searchsorted(old[order], old[order], side="left")
    rank = np.empty(len(old), dtype=np.int64)
    rank[order] = np.arange(len(old)) - start
    return rank // _SHEET + 1, rank % _SHEET + 1


def _land_use(rng: Rng, urban: Flags) -> Ints:
    drawn = [rng.choice(len(_USES), len(urban), p=np.array(_USE_SHARES[k]) / sum(_USE_SHARES[k])) for k in (0, 1)]
    return np.where(urban, drawn[1], drawn[0])


def make_parcels(rng: Rng, world: World, layout: Layout) -> pl.DataFrame:
    """The columns of each parcel, by certificate.

    `order` is its place in the register; `parcel_away` and `commune_vintage_wrong` say what is odd about it.
    """
    places, certificates = world.places, world.certificates
    at = np.repeat(np.arange(len(certificates)), certificates.parcels)
    size = len(at)
    away = pick(rng, world.catalogue.rate("parcel_away"), np.ones(size))
    hamlet = np.where(away, _elsewhere(rng, places, certificates.hamlet[at]), certificates.hamlet[at])
    address = places.address(hamlet, rng.choice([1, 5, 4], size, p=[0.3, 0.55, 0.15]))
    wrong = pick(rng, world.catalogue.rate("commune_vintage_wrong"), np.ones(size))
    columns = [
        _codes(rng, places, hamlet, certificates.year[at] >= _NEW_LIST_FROM, wrong),
        _measures(rng, places, hamlet),
        pl.DataFrame({"parcel_address": apply_letters(address, at, layout)}),
        pl.DataFrame({"parcel_away": away, "commune_vintage_wrong": wrong}),
    ]
    return pl.concat(columns, how="horizontal")


def _codes(rng: Rng, places: Places, hamlet: Ints, newest: Flags, wrong: Flags) -> pl.DataFrame:
    """Parcel code, commune code with the list it is said to belong to, sheet and number."""
    commune, old = places.hamlet_commune[hamlet], places.hamlet_old[hamlet]
    spread = rng.normal(0, 0.03, (2, len(hamlet)))
    old_code, new_code = pl.Series(places.old_codes).gather(old), pl.Series(places.new_codes).gather(commune)
    sheet, number = _numbering(rng, old)
    return pl.DataFrame(
        {
            "parcel_code": geohash(places.new_latitude[commune] + spread[0], places.new_longitude[commune] + spread[1]),
            "commune_code": new_code.zip_with(pl.Series(newest != wrong), old_code),
            "commune_code_vintage": pl.Series(_VINTAGES).gather(newest.astype(np.int64)),
            "map_sheet_no": pl.Series(sheet).cast(pl.String),
            "parcel_no": pl.Series(number).cast(pl.String),
            "order": old * 10_000_000 + sheet * 1_000 + number,
        }
    )


def _measures(rng: Rng, places: Places, hamlet: Ints) -> pl.DataFrame:
    """Scale of the sheet, area and use."""
    urban = places.hamlet_urban[hamlet]
    use = _land_use(rng, urban)
    area = np.round(_AREAS[use] * rng.lognormal(0, 0.5, len(use)), 1)
    scale = np.where(urban, 500, np.where(use == _USES.index("RSX"), 10_000, 2_000))
    return pl.DataFrame(
        {
            "map_scale": "1/" + pl.Series(scale).cast(pl.String),
            "area_m2": pl.Series(area).cast(pl.String),
            "land_use_code": pl.Series(_USES).gather(use),
        }
    )


def _elsewhere(rng: Rng, places: Places, hamlet: Ints) -> Ints:
    """Another hamlet, of another commune where there is more than one."""
    target = places.draw_hamlets(rng, len(hamlet))
    for _ in range(20):
        same = places.hamlet_commune[target] == places.hamlet_commune[hamlet]
        target[same] = places.draw_hamlets(rng, int(same.sum()))
    return target


# --- certificates' numbers ---


def certificate_columns(rng: Rng, world: World) -> pl.DataFrame:
    """Serial, register number and date of each certificate, as written."""
    certificates, catalogue = world.certificates, world.catalogue
    lines = certificates.parcels
    serial = _dirty(rng, _serials(rng, certificates), pick(rng, catalogue.rate("serial_dirty"), lines))
    missing = pick(rng, catalogue.rate("serial_missing"), lines)
    undated = pick(rng, catalogue.rate("certificate_date_missing"), lines)
    size = len(certificates)
    return pl.DataFrame(
        {
            "certificate_serial": nothing(size).zip_with(pl.Series(missing), serial),
            "certificate_no": _register_numbers(rng, certificates),
            "certificate_date": nothing(size).zip_with(pl.Series(undated), any_day(rng, certificates.year)),
        }
    )


def _serials(rng: Rng, certificates: Certificates) -> pl.Series:
    """One letter, then two letters, and six digits; from 2025 two letters and eight digits."""
    size = len(certificates)
    letters = "ABCDEGHIKLMNPQRSTUVXY"
    newest = certificates.year >= _NEW_LIST_FROM
    starts = np.where(certificates.era == 1, 0, rng.integers(1, 4, size))
    ends = rng.integers(0, len(letters), size)
    table = pl.Series([*letters, *(a + b for a in "ABCD" for b in letters), "AA"])
    code = np.where(certificates.era == 0, ends, len(letters) * (1 + starts) + ends)
    code = np.where(newest, len(table) - 1, code)
    tail = unique_tails(rng, code, 6) % 1_000_000
    digits = pl.Series(tail).cast(pl.String)
    return table.gather(code) + " " + digits.str.zfill(8).zip_with(pl.Series(newest), digits.str.zfill(6))


def _dirty(rng: Rng, serial: pl.Series, some: Flags) -> pl.Series:
    forms = [
        lambda t: t.replace(" ", ""), str.lower, lambda t: t.replace(" ", "."), lambda t: t.replace("0", "O"),
        lambda t: f"Số {t} ", lambda t: t[:-3] + " " + t[-3:],
    ]  # fmt: skip
    rows = np.flatnonzero(some)
    changed = rewrite(serial, rows, rng.integers(0, len(forms), len(rows)).tolist(), forms)
    same = rows[(changed.gather(rows) == serial.gather(rows)).to_numpy()]
    return rewrite(changed, same, [0] * len(same), forms)


def _register_numbers(rng: Rng, certificates: Certificates) -> pl.Series:
    number = pl.Series(rng.integers(1, 99_999, len(certificates))).cast(pl.String).str.zfill(5)
    head = pl.Series(["", "H ", "CH ", "CS "]).gather(certificates.era + (certificates.year >= 2018))
    tail = pl.Series([" QSDĐ", "", ""]).gather(certificates.era)
    return head + number + tail
