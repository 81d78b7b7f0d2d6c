"""A PL3-01 workbook of 20,000 rows with every variant: is each row accounted for, how fast, in how much memory?

python benchmarks/pl3_workbook.py [rows]
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from linkage.sources import original_rows, read_owners
from tests.linkage.sources.pl3_builder import Expected, build


def peak_mb() -> float:
    """Largest resident size of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)


def report(path: Path, expected: Expected) -> bool:
    """Reads the workbook, prints the figures, and says whether they are what the builder put in."""
    before, start = peak_mb(), time.perf_counter()
    source = read_owners(path)
    seconds, after = time.perf_counter() - start, peak_mb()
    refused = Counter(reason.split(":")[0] for reason in source.rejected["reason"])
    names = dict(source.lines.select("owner_record_id", "owner_name").iter_rows())
    right = names == expected.names and refused == expected.reasons and original_rows(path).height == expected.rows
    print(f"rows in the workbook   {expected.rows:,}")
    used, rejected = source.lines.height, source.rejected.height
    print(f"rows read              {source.rows_read:,} = {used:,} used + {rejected:,} rejected")
    print("rejected               " + ", ".join(f"{reason} {times:,}" for reason, times in sorted(refused.items())))
    print("as the builder expects " + ("yes" if right else "NO"))
    print(f"seconds                {seconds:.2f}")
    print(f"peak memory            {after:,.0f} MB ({before:,.0f} MB before reading)")
    return right and source.rows_read == expected.rows == used + rejected


def main() -> int:
    """0 if every row is accounted for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000, help="rows of the workbook")
    parser.add_argument("--citizens", type=int, help="taken from `make bench`; the workbook has a size of its own")
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "PL3-01 mẫu.xlsx"
        return 0 if report(path, build(path, rows)) else 1


if __name__ == "__main__":
    sys.exit(main())
