"""The command `quychu serve`; `quychu/cli.py` mounts it.

Rules
- Exit 0 after an orderly end, 1 where the start is not possible (one sentence on standard error), 2 on wrong usage.
- `--dev DIR` needs nothing else: keys, settings and databases are made there and stay there.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)
_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
_EXAMPLE = "quychu serve --config confirm_api.toml --workers 2\n  quychu serve --dev trial"


@click.command(context_settings=_SETTINGS, epilog=f"\b\nExample:\n  {_EXAMPLE}")
@click.option("--config", "--settings", type=_FILE, help="The settings, as configs/confirm_api.example.toml.")
@click.option("--dev", type=_FOLDER, help="Instead: a folder with keys, settings and SQLite; what lacks is made.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that serve.")
@click.option("--no-worker", is_flag=True, help="Serve only; another process sends and fetches.")
@click.option("--after-restore", is_flag=True, help="Take no message for 70 s: after a restore from backup.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Instead of the settings'; 0 takes a free one.")
@click.option("--ready-file", type=_FILE, help="Written once the service listens: JSON with url and pid.")
def serve(
    config: Path | None,
    dev: Path | None,
    workers: int,
    no_worker: bool,
    after_restore: bool,
    port: int | None,
    ready_file: Path | None,
) -> None:
    """Run the confirmation service: take questions, ask citizens, keep the log."""
    from confirm_api.errors import ServiceError  # noqa: PLC0415 - so that `--help` is quick
    from exchange.errors import ExchangeError  # noqa: PLC0415 - as above

    if (config is None) == (dev is None):
        raise click.UsageError("expected either --config FILE or --dev DIR.")
    try:
        from confirm_api.serve import run  # noqa: PLC0415 - as above; a failpoint of another name stops the import

        run(
            config or _dev(dev),
            workers=workers,
            with_worker=not no_worker,
            after_restore=after_restore,
            port=port,
            ready_file=ready_file or (dev / "service.ready.json" if dev else None),
        )
    except (ServiceError, ExchangeError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)


def _dev(folder: Path | None) -> Path:
    from confirm_api.dev import prepare  # noqa: PLC0415 - as above

    assert folder is not None
    return prepare(folder)
