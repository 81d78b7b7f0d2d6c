"""The whole job, files in to workbook out: seconds and memory of ours beside plain Splink.

python benchmarks/speed.py [--citizens 1000000] [--rounds 3] [--data DIR] [--cores N] [--json FILE]

Rules
- Ours is `quychu link` with all its outputs, links.xlsx included, from the beginning and with no model given.
- Both are measured from outside, in turns: plain, ours; ours, plain; … so that a machine that grows busy treats both
  alike. The median of the rounds counts; memory is the largest of all rounds.
- Same files (in the page cache), same cores. Plain Splink's seconds hold its judging of its own result, about a second;
  beside them stands the total it prints itself, without that and without its start.
- The targets are for a whole province (1 M citizens, 1.55 M lines); a smaller run is not judged by them.
- The exit code is 0 whether targets are met or not.

Worked example: medians of 96 s (ours) and 80 s (plain) give
"PASS seconds, ours / plain: 1.200 (target: at most 1.500)".
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.tools import ours, plain
from benchmarks.tools.figures import Target, gigabytes, ratio, seconds, table, write_json
from benchmarks.tools.machine import Run, description, use_cores, warm

TIMES_PLAIN = 1.5
LARGEST_PEAK_BYTES = 5e9
FULL_CITIZENS = 900_000
"""From here on a register is a province's; fixed costs and caches of smaller ones say nothing about it."""


@dataclass
class Rounds:
    """All runs of both sides so far."""

    plain: list[Run] = field(default_factory=list)
    ours: list[ours.Linked] = field(default_factory=list)

    def plain_seconds(self) -> float | None:
        """The median of plain Splink; None where it was not run."""
        return median(run.seconds for run in self.plain) if self.plain else None

    def own_account(self) -> float | None:
        """The median of the totals that plain Splink prints."""
        said = [plain.parsed(run.stdout).own_seconds for run in self.plain]
        known = [value for value in said if value is not None]
        return median(known) if known else None

    def plain_peak(self) -> int | None:
        """The largest peak of plain Splink in bytes."""
        return max((run.peak_bytes for run in self.plain), default=None)

    def our_seconds(self) -> float:
        """The median of ours."""
        return median(linked.run.seconds for linked in self.ours)

    def our_peak(self) -> int:
        """The largest peak of ours in bytes."""
        return max(linked.run.peak_bytes for linked in self.ours)

    def steps(self) -> dict[str, tuple[float, int]]:
        """Each step of ours: median seconds and largest peak."""
        names = self.ours[0].steps()
        return {
            name: (median(each.steps()[name] for each in self.ours), max(each.step_peaks()[name] for each in self.ours))
            for name in names
        }


def play(rounds: int, data: Path, work: Path, python: Path | None) -> Rounds:
    """Run both sides in turns."""
    registers = ours.without_truth(data, work / "registers")
    warm(path for folder in (data, registers) for path in folder.glob("*.parquet"))
    done = Rounds()
    for number in range(rounds):
        turns = [("plain", python), ("ours", None)]
        for side, interpreter in turns if number % 2 == 0 else reversed(turns):
            _turn(side, done, data, registers, work / "run", interpreter)
    return done


def _turn(side: str, done: Rounds, data: Path, registers: Path, out: Path, python: Path | None) -> None:
    if side == "ours":
        done.ours.append(ours.link(registers, out))
        last = done.ours[-1].run
    elif python is None:
        return
    else:
        last = plain.run(python, data)
        if last.code != 0:
            print(f"plain Splink failed: {last.complaint}", flush=True)
            return
        done.plain.append(last)
    print(f"{side:<6} {seconds(last.seconds):>9}  {gigabytes(last.peak_bytes)}", flush=True)


def targets(done: Rounds) -> list[Target]:
    """Every target of speed and memory, judged where the registers are large enough."""
    citizens = done.ours[0].manifest["counts"]["citizens_read"]
    times, peak, why = (
        ratio(done.our_seconds(), done.plain_seconds()),
        float(done.our_peak()),
        "plain Splink was not run",
    )
    if citizens < FULL_CITIZENS:
        why = f"only {citizens:,} citizens" + (f", {times:.2f}" if times else "")
        times = None
    return [
        Target("seconds, ours / plain", times, TIMES_PLAIN, "at most", why=why),
        Target("peak memory of our process tree in bytes", peak, LARGEST_PEAK_BYTES, "at most", ",.0f"),
    ]


def cost_table(done: Rounds) -> str:
    """Medians and peaks of both sides."""
    mine = median(linked.manifest["seconds"] for linked in done.ours)
    return table(
        [
            ("measured from outside", "plain", "ours"),
            ("seconds, median", seconds(done.plain_seconds()), seconds(done.our_seconds())),
            ("  by its own account", seconds(done.own_account()), seconds(mine)),
            ("peak memory of the process tree", gigabytes(done.plain_peak()), gigabytes(done.our_peak())),
        ]
    )


def steps_table(steps: Mapping[str, tuple[float, int]]) -> str:
    """Where our time goes, as `run.json` tells it."""
    head = ("step of ours", "seconds", "peak memory")
    return table([head, *((name, seconds(spent), gigabytes(peak)) for name, (spent, peak) in steps.items())])


def as_json(done: Rounds, judged: Sequence[Target]) -> dict[str, Any]:
    """All figures, for other programs."""
    return {
        "counts": done.ours[0].manifest["counts"],
        "targets": [target.as_dict() for target in judged],
        "plain": [{"seconds": run.seconds, "peak_bytes": run.peak_bytes} for run in done.plain],
        "ours": [
            {"seconds": each.run.seconds, "peak_bytes": each.run.peak_bytes, "steps": each.steps()}
            for each in done.ours
        ],
    }


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--citizens", type=int, default=1_000_000, help="citizens to generate (default: 1000000)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each side (default: 3; 1 for a quick look)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the generator (default: 1)")
    parser.add_argument(
        "--data", type=Path, help="a folder with land_owners, citizens and truth.parquet made by others"
    )
    parser.add_argument("--plain-python", type=Path, help="the Python that runs plain Splink (default: one that can)")
    parser.add_argument("--cores", type=int, help="cores for both sides (default: all)")
    parser.add_argument("--work", type=Path, help="keep data and runs in this folder (default: a temporary one)")
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> int:
    """Run the rounds and print the figures."""
    asked = arguments(given)
    print(description(use_cores(asked.cores)))
    print(plain.seal(), flush=True)
    python = plain.find_python(asked.plain_python)
    if python is None:
        print(plain.NO_INTERPRETER)
    with tempfile.TemporaryDirectory() as temporary:
        work = (asked.work or Path(temporary)).resolve()
        data = asked.data.resolve() if asked.data else ours.generate(asked.citizens, work / "data", seed=asked.seed)
        done = play(max(1, asked.rounds), data, work, python)
    counts, judged = done.ours[0].manifest["counts"], targets(done)
    print(f"\n{counts['citizens_read']:,} citizens, {counts['rows_read']:,} owner lines, {len(done.ours)} rounds")
    print(f"{cost_table(done)}\n\n{steps_table(done.steps())}\n")
    print("\n".join(target.verdict() for target in judged))
    write_json(asked.json, as_json(done, judged))
    return 0


if __name__ == "__main__":
    sys.exit(main())
