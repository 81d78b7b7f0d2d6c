"""The commands `quychu keys …`; `quychu/cli.py` mounts the group.

Rules
- Exit 0 on success, 1 on a bad file (one sentence on standard error), 2 on wrong usage.
- No private part is ever printed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from exchange import keys_cli
from exchange.errors import ExchangeError
from exchange.sealed.suites import DEFAULT_SUITE, SUITES

_SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
_FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
_QUIET = click.option("--quiet", is_flag=True, help="Print no lines.")

_Command = TypeVar("_Command", bound=click.Command)


def _example(text: str) -> Callable[[_Command], _Command]:
    def add(command: _Command) -> _Command:
        command.epilog = f"\b\nExample:\n  {text}"
        return command

    return add


@contextmanager
def _one_sentence() -> Iterator[None]:
    try:
        yield
    except ExchangeError as error:
        click.echo(str(error), err=True)
        sys.exit(1)


def _print(lines: list[str], *, quiet: bool) -> None:
    if not quiet:
        click.echo("\n".join(lines))


@_example("quychu keys make keys/service.keys.json")
@click.group(context_settings=_SETTINGS)
def keys() -> None:
    """Make, show, publish and rotate the keys of the confirmation protocol."""


@_example("quychu keys make keys/service.keys.json")
@keys.command(context_settings=_SETTINGS)
@_FILE
@click.option(
    "--suite",
    "suites",
    multiple=True,
    type=click.Choice(list(SUITES)),
    default=[DEFAULT_SUITE],
    show_default=True,
    help="A suite to have keys for; give it twice for both.",
)
@_QUIET
def make(file: Path, suites: tuple[str, ...], quiet: bool) -> None:
    """Make new keys in FILE (mode 0600; an existing file is not overwritten)."""
    with _one_sentence():
        _print(keys_cli.make(file, dict.fromkeys(suites)), quiet=quiet)


@_example("quychu keys show keys/service.keys.json")
@keys.command(context_settings=_SETTINGS)
@_FILE
def show(file: Path) -> None:
    """List the keys of FILE: id, suite, use, status. Private parts are not shown."""
    with _one_sentence():
        _print(keys_cli.show(file), quiet=False)


@_example("quychu keys jwks keys/service.keys.json --out peers/service.jwks.json")
@keys.command(context_settings=_SETTINGS)
@_FILE
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write here, not to standard output.")
def jwks(file: Path, out: Path | None) -> None:
    """Give the public keys of FILE, for the peers to pin."""
    with _one_sentence():
        text = keys_cli.jwks(file)
        if out is None:
            click.echo(text, nl=False)
        else:
            keys_cli.write_public(out, text)


@_example("quychu keys rotate keys/service.keys.json --step add-next")
@keys.command(context_settings=_SETTINGS)
@_FILE
@click.option(
    "--step",
    type=click.Choice(list(keys_cli.STEPS)),
    required=True,
    help="add-next, then publish the jwks; activate when every peer has it; retire an hour later or more.",
)
@click.option("--suite", type=click.Choice(list(SUITES)), default=DEFAULT_SUITE, show_default=True)
@_QUIET
def rotate(file: Path, step: str, suite: str, quiet: bool) -> None:
    """Take one step of a rotation: old and new keys overlap, so no message is lost."""
    with _one_sentence():
        _print(keys_cli.rotate(file, suite, step), quiet=quiet)
