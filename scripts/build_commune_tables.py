#!/usr/bin/env python3
"""Build our own commune tables from the MIT data tables of `vietnamadminunits` (development only).

usage: python scripts/build_commune_tables.py

Writes two CSV files beside `linkage/normalise/communes.py`:

- `communes_before_2025_07_01.csv`: code, kind, name, district_code, district_kind, district, province_code,
  province, successors (new codes joined by `|`, the default successor first; more than one where the commune was split)
- `communes_from_2025_07_01.csv`: code, kind, name, province_code, province, latitude, longitude (degrees, WGS 84)

The package's functions call a web geocoder and pull a GPL library, so only its data files are read, once, here.
"""

import csv
import importlib.metadata
import importlib.resources
import json
import sqlite3
from pathlib import Path
from typing import Any

OUT = Path(__file__).parent.parent / "linkage" / "normalise" / "data"
SOURCE = "vietnamadminunits"


def bare(full: str, kind: str) -> str:
    """`Xã Vĩnh Thủy` of kind `Xã` → `Vĩnh Thủy`."""
    return full[len(kind) + 1 :] if full.lower().startswith(kind.lower() + " ") else full


def successors(book: dict[str, Any], code_of: dict[tuple[str, str], str]) -> dict[str, list[str]]:
    """Old commune key → new codes, the default first."""
    found: dict[str, list[str]] = {}
    for province, wards in book["DICT_PROVINCE_WARD_NO_DIVIDED"].items():
        for ward, olds in wards.items():
            for old in olds:
                found.setdefault(old, []).append(code_of[province, ward])
    for province, olds in book["DICT_PROVINCE_WARD_DIVIDED"].items():
        for old, parts in olds.items():
            ordered = sorted(parts, key=lambda part: not part["isDefaultNewWard"])
            found.setdefault(old, []).extend(code_of[province, part["newWardKey"]] for part in ordered)
    return {old: list(dict.fromkeys(codes)) for old, codes in found.items()}


def main() -> None:
    """Read the package's data files, write our two tables."""
    data = importlib.resources.files(SOURCE) / "data"
    con = sqlite3.connect(str(data / "dataset.db"))
    book = json.loads((data / "converter_2025.json").read_text())
    new = con.execute(
        "select wardCode, wardType, ward, provinceCode, province, wardLat, wardLon, provinceKey, wardKey"
        " from admin_units order by wardCode"
    ).fetchall()
    found = successors(book, {(row[7], row[8]): row[0] for row in new})
    old = con.execute(
        "select wardCode, wardType, ward, districtCode, districtType, district, provinceCode, province,"
        " provinceKey || '_' || districtKey || '_' || wardKey from admin_units_legacy"
        " where wardCode is not null order by wardCode"
    ).fetchall()
    version = importlib.metadata.version(SOURCE)
    OUT.mkdir(parents=True, exist_ok=True)
    with (OUT / "communes_from_2025_07_01.csv").open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["code", "kind", "name", "province_code", "province", "latitude", "longitude"])
        out.writerows([r[0], r[1], bare(r[2], r[1]), r[3], r[4], r[5], r[6]] for r in new)
    with (OUT / "communes_before_2025_07_01.csv").open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(
            [
                "code",
                "kind",
                "name",
                "district_code",
                "district_kind",
                "district",
                "province_code",
                "province",
                "successors",
            ]
        )
        for r in old:
            codes = "|".join(found.get(r[8], []))
            out.writerow([r[0], r[1], bare(r[2], r[1]), r[3], r[4], bare(r[5], r[4]), r[6], r[7], codes])
    missing = sum(1 for r in old if r[8] not in found)
    split = sum(1 for r in old if len(found.get(r[8], [])) > 1)
    print(f"{SOURCE} {version}: {len(new)} new communes, {len(old)} old, {split} split, {missing} without successor")


if __name__ == "__main__":
    main()
