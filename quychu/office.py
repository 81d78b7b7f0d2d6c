"""`quychu office`, with the one command that needs the engine's files: `accept`.

Rules
- The service does not know the engine, and the engine not the service: they meet here, in plain rows.
- A run is taken over in steps; stopped at any moment, the same command goes on where it was.

Example: `quychu office accept --run ket-qua --owners so.xlsx --citizens dan-cu.parquet --config confirm_api.toml`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from confirm_api.office_commands import office, opened

_FILE = click.Path(path_type=Path)
_WORDS: Final[Mapping[str, str]] = {
    "parcels": "thửa đất",
    "people": "người",
    "reviews": "đối chiếu cần xem",
    "old": "dòng của lần trước",
}


@dataclass
class _Progress:
    """Tells at most once a second how far a step is, and how long it will take."""

    totals: Mapping[str, int]
    quiet: bool
    told_at: float = 0.0
    began: dict[str, tuple[float, int]] = field(default_factory=dict)

    def __call__(self, step: str, done: int) -> None:
        now, total = time.monotonic(), self.totals.get(step)
        began, first = self.began.setdefault(step, (now, done))
        if self.quiet or (now - self.told_at < 1 and done != total):
            return
        self.told_at = now
        click.echo(f"{_WORDS[step]}: {done}{_of(total)}{_left(now - began, done - first, total, done)}", err=True)


def _of(total: int | None) -> str:
    return "" if total is None else f" / {total}"


def _left(seconds: float, lately: int, total: int | None, done: int) -> str:
    """How long the rest will take at the pace so far.

    >>> _left(10.0, 1_000, 7_000, 1_000), _left(0.0, 0, 7_000, 1_000)
    (', còn khoảng 1 phút', '')
    """
    if total is None or not lately or done >= total:
        return ""
    return f", còn khoảng {max(round(seconds / lately * (total - done) / 60), 1)} phút"


@office.command(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="\b\nExample:\n  quychu office accept --run ket-qua --owners so.xlsx --citizens dan-cu.parquet "
    "--config confirm_api.toml",
)
@click.option("--run", type=_FILE, required=True, help="Folder of a finished run.")
@click.option("--owners", type=_FILE, required=True, help="The land register it was made from.")
@click.option("--citizens", type=_FILE, required=True, help="The register extract it was made from.")
@click.option("--config", type=_FILE, required=True, help="Settings of the service.")
@click.option("--link-config", type=_FILE, help="Config of the run, where it was not the shipped one.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def accept(run: Path, owners: Path, citizens: Path, config: Path, link_config: Path | None, *, quiet: bool) -> None:
    """Take over a run: accepted parcels for residence proofs, people's status, review links as cases."""
    from confirm_api.errors import OfficeError  # noqa: PLC0415
    from confirm_api.office.acceptance import accept_run  # noqa: PLC0415
    from confirm_api.settings import read  # noqa: PLC0415
    from linkage.config import load  # noqa: PLC0415
    from linkage.errors import LinkageError  # noqa: PLC0415
    from quychu.acceptance import read_run  # noqa: PLC0415
    from quychu.errors import QuychuError  # noqa: PLC0415

    with opened(config) as units:
        codes = read(config).residence.land_use_codes
        today = datetime.now(UTC).date()
        try:
            rows = read_run(run, owners, citizens, load(link_config), residential=codes, today=today)
            report = _Progress(rows.totals, quiet)
            done = accept_run(units, rows.run_hash, rows.parcels, rows.people, rows.reviews, report=report)
        except (QuychuError, LinkageError, OfficeError) as refusal:
            raise click.ClickException(str(refusal)) from None
    if done.was_active:
        click.echo("Kết quả này đã được tiếp nhận từ trước.")
        return
    click.echo(
        f"Đã tiếp nhận {done.parcels} thửa đất, {done.not_alive} người không thuộc diện hỏi, "
        f"{done.reviews} hồ sơ cần xem; {done.superseded} hồ sơ cũ được thay."
    )
