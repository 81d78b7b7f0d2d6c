"""`quychu keys`, with the two kinds of keys that the service alone has: its log's, and those above its key store.

Rules
- Nothing is ever written over: a log keeps its key for ever, and without the master key nothing opens again.
- Files are private (mode 0600); nothing of them is printed but the log's public verifier key.

Example: `quychu keys log keys/log.key --origin dat-dai.example.vn/log` and `quychu keys store keys`.
"""

from __future__ import annotations

from pathlib import Path

import click

from exchange.commands import keys

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
_ORIGIN = "quychu.local/log"


@keys.command(
    context_settings=_SETTINGS,
    epilog="\b\nExample:\n  quychu keys log keys/log.key --origin dat-dai.example.vn/log",
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--origin", default=_ORIGIN, show_default=True, help="The log's name, as in the settings (audit.origin).")
def log(file: Path, origin: str) -> None:
    """Make the audit log's own key; prints the verifier key that others pin."""
    from confirm_api.audit.checkpoint import new_log_key, write_log_key  # noqa: PLC0415 - so that `--help` is quick

    key = new_log_key(origin)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_log_key(key, file)
    click.echo(key.verifier)


@keys.command(context_settings=_SETTINGS, epilog="\b\nExample:\n  quychu keys store keys")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--quiet", is_flag=True, help="Print no lines.")
def store(folder: Path, quiet: bool) -> None:  # noqa: FBT001 - click passes flags by name
    """Make master.key and index.key, the two keys above the key store, in FOLDER."""
    from confirm_api.store.master_keys import INDEX_FILE, MASTER_FILE, MasterKeys  # noqa: PLC0415 - as above

    MasterKeys.make(folder)
    if not quiet:
        click.echo(f"Wrote {folder / MASTER_FILE} and {folder / INDEX_FILE}; keep copies of both in a safe place")
