"""The 63 provinces before 1 July 2025 and their 34 successors.

Rules
- Old codes are those of the General Statistics Office; "0" + code is the birth province in a 12-digit number
  (Annex 1 of Circular 07/2016/TT-BCA). Provinces were merged whole, so each old code has one successor.
- All 34 new codes are old codes too, so a number issued after the merger needs no further code.

>>> PROVINCE_SUCCESSORS["45"], len(PROVINCE_SUCCESSORS), len(set(PROVINCE_SUCCESSORS.values()))
('44', 63, 34)
"""

from __future__ import annotations

import csv
from importlib.resources import files


def _read() -> tuple[dict[str, str], dict[str, str]]:
    text = files("linkage.normalise").joinpath("data/provinces.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    return {row["code"]: row["name"] for row in rows}, {row["code"]: row["successor"] for row in rows}


OLD_PROVINCE_NAMES, PROVINCE_SUCCESSORS = _read()
"""Old 2-digit code → name; old 2-digit code → new 2-digit code."""

ID12_PROVINCE_CODES = frozenset("0" + code for code in PROVINCE_SUCCESSORS)
"""First three digits of a 12-digit number for births registered in Viet Nam."""
