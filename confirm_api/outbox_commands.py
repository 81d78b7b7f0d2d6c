"""`quychu outbox list | replay`: messages that wait, and dead letters sent again.

Rules
- Nothing personal is shown: numbers, kinds, public ids of questions, stable codes.
- `replay` sends nothing itself: it puts messages back, and the service's worker sends them.
- Exit 1 with one sentence where a message cannot be sent again; with `--all` those are named, the others are put back.

Example: `quychu outbox replay --config confirm_api.toml 17`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from confirm_api.service.dead_letters import Letter
    from confirm_api.unit import Units

_FILE = click.Path(path_type=Path, dir_okay=False)
_SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
_STATES = ("dead", "waiting", "held", "delivered", "dropped")
_MOST = 1_000
_LIST_EXAMPLE = "quychu outbox list --config confirm_api.toml --state waiting"
_REPLAY_EXAMPLE = (
    "quychu outbox replay --config confirm_api.toml 17\n  quychu outbox replay --config confirm_api.toml --all"
)


@click.group(context_settings=_SETTINGS, epilog=f"\b\nExample:\n  {_LIST_EXAMPLE}")
def outbox() -> None:
    """See what waits to be sent, and send dead letters again."""


@outbox.command("list", epilog=f"\b\nExample:\n  {_LIST_EXAMPLE}")
@click.option("--config", "--settings", type=_FILE, required=True, help="The service's settings.")
@click.option("--state", "states", type=click.Choice(_STATES), multiple=True, help="Only these; dead unless told.")
@click.option("--limit", type=click.IntRange(1, _MOST), default=100, show_default=True, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_command(config: Path, states: tuple[str, ...], limit: int, *, as_json: bool) -> None:
    """Show messages: dead letters, or those in other states."""
    from confirm_api.service.dead_letters import letters  # noqa: PLC0415 - so that `--help` is quick

    with _opened(config) as units, units.begin() as unit:
        found = letters(unit, list(states) or ["dead"], limit)
    for letter in found:
        click.echo(json.dumps(asdict(letter)) if as_json else _line(letter))
    if not found and not as_json:
        click.echo("no such messages")


@outbox.command("replay", epilog=f"\b\nExample:\n  {_REPLAY_EXAMPLE}")
@click.option("--config", "--settings", type=_FILE, required=True, help="The service's settings.")
@click.option("--all", "everything", is_flag=True, help="All dead letters.")
@click.argument("numbers", type=int, nargs=-1)
def replay_command(config: Path, numbers: tuple[int, ...], *, everything: bool) -> None:
    """Send dead letters again, by the numbers that `list` shows."""
    if bool(numbers) == everything:
        raise click.UsageError("expected either numbers of messages or --all.")
    with _opened(config) as units:
        refused = _replayed(units, numbers or _dead(units))
    for sentence in refused:
        click.echo(sentence, err=True)
    if refused:
        raise click.exceptions.Exit(1)


def _replayed(units: Units, numbers: Sequence[int]) -> list[str]:
    """Put each back in a transaction of its own; the sentences of those that cannot be."""
    from confirm_api.service import retrying  # noqa: PLC0415 - as above
    from confirm_api.service.dead_letters import NotRevivedError, revive  # noqa: PLC0415 - as above

    refused = []
    for no in numbers:
        try:
            state = retrying(units, lambda unit, no=no: revive(unit, no))  # type: ignore[misc] # bound at once
        except NotRevivedError as error:
            refused.append(str(error))
        else:
            click.echo(f"delivery {no}: {_WORDS[state]}")
    return refused


_WORDS = {
    "waiting": "will be sent again",
    "dropped": "its parcels wait again; they are asked in a new attempt when it is their turn",
}


def _dead(units: Units) -> list[int]:
    from confirm_api.service.dead_letters import letters  # noqa: PLC0415 - as above

    with units.begin() as unit:
        return [letter.no for letter in letters(unit, ["dead"], _MOST)]


def _line(letter: Letter) -> str:
    since = datetime.fromtimestamp(letter.created_at, UTC).strftime("%Y-%m-%d %H:%M")
    kind = letter.typ.removesuffix("+jwt")
    told = letter.outcome or "-"
    return (
        f"{letter.no:>8}  {kind:<10}  {letter.state:<9}  tries {letter.tries:>2}  {told:<18}  "
        f"since {since}  question {letter.question_id}  attempt {letter.attempt}"
    )


@contextmanager
def _opened(config: Path) -> Iterator[Units]:
    """Transactions on the service's databases; a bad setting or database is one sentence."""
    from confirm_api.errors import ServiceError  # noqa: PLC0415 - as above
    from confirm_api.settings import load  # noqa: PLC0415 - as above
    from confirm_api.store.engine import open_engine  # noqa: PLC0415 - as above
    from confirm_api.store.vault import open_vault  # noqa: PLC0415 - as above
    from confirm_api.unit import Units  # noqa: PLC0415 - as above

    try:
        settings = load(config)
        engine = open_engine(settings.database.location(), pool_size=1)
        vault = open_vault(settings.key_store.location(), settings.master_keys(), pool_size=1)
    except ServiceError as error:
        raise click.ClickException(str(error)) from None
    try:
        yield Units(engine, vault, lambda: int(time.time()))
    finally:
        vault.close()
        engine.dispose()
