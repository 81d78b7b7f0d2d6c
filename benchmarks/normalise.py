"""Three million owner lines made comparable: seconds, memory, and which field takes them.

python benchmarks/normalise.py [--citizens 1000000] [--seed 1] [--cores 2] [--json FILE]

Rules
- The lines are generated registers of `--citizens` people each, seed after seed, until there are three lines a citizen:
  3,000,000 lines for 1,000,000 citizens. Other seeds are other people, so distinct values grow as in a real province.
- Measured is `linkage.normalise.lines.mentions` on lines that are read already, in a process of its own, on `--cores`.
- Fields stand in falling order of seconds; the target is for the full size, so a smaller run is not judged by it.

Worked example: 3,000,000 lines in 31.0 s give "PASS seconds for 3,000,000 lines: 31.0 (target: at most 45.0)".
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import polars as pl

from benchmarks.tools import ours
from benchmarks.tools.figures import Target, gigabytes, percent, seconds, table, write_json
from benchmarks.tools.machine import ROOT, Run, description, measured, use_cores, warm

FULL_LINES = 3_000_000
MOST_SECONDS = 45.0
"""What "well under a minute" is taken to mean."""
LINES_PER_CITIZEN = 3

WORKER = ROOT / "benchmarks" / "tools" / "normalise_lines.py"


def lines_of_registers(citizens: int, seed: int, work: Path) -> Path:
    """A file of `LINES_PER_CITIZEN` lines per citizen, from as many generated registers as that takes."""
    wanted, parts, rows = citizens * LINES_PER_CITIZEN, list[pl.DataFrame](), 0
    while rows < wanted:
        folder = ours.generate(citizens, work / f"seed{seed}", seed=seed)
        parts.append(apart(pl.read_parquet(folder / "land_owners.parquet"), seed))
        rows, seed = rows + parts[-1].height, seed + 1
    path = work / "land_owners.parquet"
    pl.concat(parts).head(wanted).write_parquet(path)
    return path


def apart(lines: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Lines whose ids and parcels are those of one register only.

    >>> apart(pl.DataFrame({"owner_record_id": ["a"], "parcel_code": [None]}), 2).row(0)
    ('2-a', None)
    """
    names = [name for name in ("owner_record_id", "parcel_code") if name in lines.columns]
    return lines.with_columns(pl.format(f"{seed}-{{}}", name).alias(name) for name in names)


def shown(told: Mapping[str, Any], run: Run) -> str:
    """The figures as text."""
    spent, parts = told["seconds"], sorted(told["fields"].items(), key=lambda part: -part[1])
    rest = spent - sum(part for _, part in parts)
    rows = [
        (name, seconds(part), percent(part / spent, 0)) for name, part in [*parts, ("lines (joins, couples)", rest)]
    ]
    per_second = told["lines"] / spent
    return "\n".join(
        [
            f"{told['lines']:,} owner lines, {told['mentions']:,} persons named, {per_second:,.0f} lines a second",
            table([("module of linkage.normalise", "seconds", "share"), *rows, ("all", seconds(spent), "")]),
            f"peak memory {gigabytes(run.peak_bytes)}, of it before normalising {gigabytes(told['used_bytes'])}",
        ]
    )


def target(told: Mapping[str, Any]) -> Target:
    """The target, judged only at the full size."""
    value = told["seconds"] if told["lines"] >= FULL_LINES else None
    why = f"{told['lines']:,} lines took {told['seconds']:.1f}"
    return Target(f"seconds for {FULL_LINES:,} lines", value, MOST_SECONDS, "at most", ".1f", why=why)


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--citizens", type=int, default=1_000_000, help="three lines each (default: 1000000)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first register (default: 1)")
    parser.add_argument("--lines", type=Path, help="a file of owner lines made by others")
    parser.add_argument("--cores", type=int, default=2, help="cores to use (default: 2)")
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> int:
    """Normalise and print the figures."""
    asked = arguments(given)
    print(description(use_cores(asked.cores)), flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        path = asked.lines.resolve() if asked.lines else lines_of_registers(asked.citizens, asked.seed, Path(temporary))
        warm([path])
        run = measured([sys.executable, WORKER, path])
    if run.code != 0:
        sys.exit(f"normalising did not finish, so there is nothing to measure: {run.complaint}")
    told = json.loads(run.stdout)
    print(f"\n{shown(told, run)}\n\n{target(told).verdict()}")
    write_json(asked.json, {**told, "peak_bytes": run.peak_bytes, "targets": [target(told).as_dict()]})
    return 0


if __name__ == "__main__":
    sys.exit(main())
