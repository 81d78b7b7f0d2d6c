"""`quychu office …`: cases and officers' accounts for people at the server's command line.

Rules
- The same functions and rules as the pages. Who looks or decides logs in with their own password: asked for on the
  terminal, or taken from `QUYCHU_OFFICER_PASSWORD` or `--password-file`.
- Accounts are made by whoever may read the service's settings and keys; no officer can make one.
- Officers read Vietnamese; `--json` is for scripts. A refusal is one sentence on standard error, exit code 1.
- Heavy libraries are imported by the command that needs them, so that `--help` is quick.

Example: `quychu office list --config confirm_api.toml --officer lan --kind dispute`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from confirm_api.errors import OfficeError
    from confirm_api.office.casefile import CaseFile
    from confirm_api.office.cases import Found
    from confirm_api.office.rules import Actor
    from confirm_api.unit import Unit, Units

PASSWORD_VARIABLE: Final = "QUYCHU_OFFICER_PASSWORD"  # noqa: S105 - the name of a variable
_FILE = click.Path(path_type=Path)
_SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
_Function = TypeVar("_Function", bound=Callable[..., Any])
_T = TypeVar("_T")
_KINDS = (
    "suspected_fraud",
    "dispute",
    "failed_challenge",
    "unproven",
    "unsure",
    "revision",
    "correction",
    "declaration",
    "review",
)
_ROLES = ("reviewer", "second_reviewer", "auditor")
_STATES: Mapping[str, tuple[str, ...]] = {
    "waiting": ("open", "first_vote"),
    "second": ("first_vote",),
    "decided": ("decided",),
}


# ---- what the commands share ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Desk:
    """An officer at the command line."""

    units: Units
    actor: Actor

    def do(self, work: Callable[[Unit], _T], no: int | None = None) -> _T:
        """Work in one transaction; what is refused is logged in another."""
        from confirm_api.errors import OfficeError  # noqa: PLC0415
        from confirm_api.service.locks import retrying  # noqa: PLC0415

        try:
            return retrying(self.units, work)
        except OfficeError as refusal:
            _log_refusal(self.units, refusal, no)
            raise click.ClickException(str(refusal)) from None


def _log_refusal(units: Units, refusal: OfficeError, no: int | None) -> None:
    from confirm_api.office.cases import note_refusal  # noqa: PLC0415

    with units.begin() as unit:
        note_refusal(unit, refusal, no)


@contextmanager
def opened(config: Path) -> Iterator[Units]:
    """Transactions on the service's databases; a bad setting or database is one sentence."""
    from confirm_api.errors import ServiceError  # noqa: PLC0415
    from confirm_api.settings import load  # noqa: PLC0415
    from confirm_api.store.engine import open_engine, upgrade  # noqa: PLC0415
    from confirm_api.store.vault import open_vault  # noqa: PLC0415
    from confirm_api.unit import Units  # noqa: PLC0415

    try:
        settings = load(config)
        engine = open_engine(settings.database.location())
        upgrade(engine)
        vault = open_vault(settings.key_store.location(), settings.master_keys())
    except ServiceError as refusal:
        raise click.ClickException(str(refusal)) from None
    try:
        yield Units(engine, vault, lambda: int(time.time()))
    finally:
        vault.close()
        engine.dispose()


@contextmanager
def _desk(config: Path, officer: str, password_file: Path | None) -> Iterator[_Desk]:
    from confirm_api.office.officers import login  # noqa: PLC0415
    from confirm_api.office.refusals import LoginError  # noqa: PLC0415

    with opened(config) as units:
        try:
            actor = login(units, officer, _password(password_file))
        except LoginError as refusal:
            raise click.ClickException(str(refusal)) from None
        yield _Desk(units, actor)


def _password(file: Path | None, *, new: bool = False) -> str:
    if file is not None:
        return _password_in(file)
    if PASSWORD_VARIABLE in os.environ:
        return os.environ[PASSWORD_VARIABLE]
    return str(click.prompt("Mật khẩu", hide_input=True, confirmation_prompt=new, err=True))


def _password_in(file: Path) -> str:
    try:
        if file.stat().st_mode & 0o077:
            raise click.ClickException(f"{file.name}: expected a file that its owner alone may read; chmod 600 it.")
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise click.ClickException(f"{file.name}: expected a text file with the password, found none.") from None


def _config(command: _Function) -> _Function:
    return click.option("--config", "--settings", type=_FILE, required=True, help="Settings of the service.")(command)


def _password_file(command: _Function) -> _Function:
    told = f"File with the password, readable by its owner only (or {PASSWORD_VARIABLE}; else it is asked for)."
    return click.option("--password-file", type=_FILE, help=told)(command)


def _officer(command: _Function) -> _Function:
    named = click.option("--officer", required=True, metavar="NAME", help="Who looks or decides.")
    return _config(named(_password_file(command)))


def _json(command: _Function) -> _Function:
    return click.option("--json", "as_json", is_flag=True, help="For scripts.")(command)


_Command = TypeVar("_Command", bound=click.Command)


def _example(text: str) -> Callable[[_Command], _Command]:
    def add(command: _Command) -> _Command:
        command.epilog = f"\b\nExample:\n  {text}"
        return command

    return add


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


@_example("quychu office list --config confirm_api.toml --officer lan --kind dispute")
@click.group(context_settings=_SETTINGS)
def office() -> None:
    """The land office's side: cases that wait for a person, and the officers' accounts."""


# ---- cases ---------------------------------------------------------------------------------------------------------


@_example("quychu office list --config confirm_api.toml --officer lan --kind dispute")
@office.command("list", context_settings=_SETTINGS)
@_officer
@click.option("--kind", type=click.Choice(_KINDS), help="Only cases of this kind.")
@click.option("--commune", help="Only cases of this commune.")
@click.option("--state", type=click.Choice(tuple(_STATES)), default="waiting", show_default=True)
@click.option("--days", type=click.IntRange(0), help="Only cases that have waited this many days.")
@click.option("--after", type=int, help="Go on behind this case.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True)
@_json
def list_(
    *,
    config: Path,
    officer: str,
    password_file: Path | None,
    kind: str | None,
    commune: str | None,
    state: str,
    days: int | None,
    after: int | None,
    limit: int,
    as_json: bool,
) -> None:
    """List the cases that wait, oldest first."""
    from confirm_api.office.cases import Filter, find  # noqa: PLC0415

    wanted = Filter(kind, commune, _STATES[state], days, after, limit)
    with _desk(config, officer, password_file) as desk:
        found, now = desk.do(lambda unit: (find(unit, desk.actor, wanted), unit.now))
    if as_json:
        _print_json({"cases": [asdict(row) for row in found.rows], "next": found.next})
    else:
        _print_list(found, now)


def _print_list(found: Found, now: int) -> None:
    from confirm_api.office import wording  # noqa: PLC0415

    if not found.rows:
        click.echo("Không có hồ sơ nào.")
    for row in found.rows:
        state = wording.label(wording.ACTIONS, row.outcome) or wording.label(wording.STATES, row.state)
        kind, waited = wording.label(wording.KINDS, row.kind), wording.age(now - row.opened_at)
        click.echo(f"{row.no:>6}  {kind:<26}  {row.commune or 'chưa rõ xã':<28}  {state:<24}  {waited}")
    if found.next is not None:
        click.echo(f"Còn nữa: thêm --after {found.next}")


@_example("quychu office show 12 --config confirm_api.toml --officer lan")
@office.command(context_settings=_SETTINGS)
@click.argument("no", type=click.IntRange(1))
@_officer
@_json
def show(no: int, config: Path, officer: str, password_file: Path | None, *, as_json: bool) -> None:
    """Show a case: what the citizen said, what the register says, what may be decided."""
    from confirm_api.office.casefile import read  # noqa: PLC0415

    with _desk(config, officer, password_file) as desk:
        file = desk.do(lambda unit: read(unit, desk.actor, no), no)
    if as_json:
        _print_json(_as_json(file))
    else:
        for line in _lines(file):
            click.echo(line)


def _as_json(file: CaseFile) -> dict[str, Any]:
    """The case file without the handle, which means nothing outside the databases."""
    told = asdict(file)
    del told["case"]["handle"], told["case"]["contents"]
    return told


def _lines(file: CaseFile) -> Iterator[str]:
    from confirm_api.office import wording  # noqa: PLC0415

    case = file.case
    yield f"Hồ sơ số {case.no}: {wording.label(wording.KINDS, case.kind)} ({wording.label(wording.STATES, case.state)})"
    yield wording.label(wording.WHY, case.kind)
    yield f"Số định danh: {file.citizen_id or 'đã xoá'}"
    if file.binding_message:
        yield f"Mã đối chiếu: {file.binding_message}"
    for name, value in (pair for parcel in [*file.parcels, file.corrections] for pair in parcel):
        yield f"  {name}: {value}"
    for one in file.attachments:
        yield f"  Tệp: {one.name} ({one.media_type}, {one.size} byte, SHA-256 {one.sha256})"
    for answer in file.answers:
        yield f"Trả lời: {wording.label(wording.VERDICTS, answer.verdict)}" + (
            f"; nhập {answer.challenge_response}" if answer.challenge_response else ""
        )
    for vote in file.votes:
        yield f"{vote.officer}: {wording.label(wording.ACTIONS, vote.action)}. {vote.reason or 'Lý do đã xoá.'}"
    if file.needs_two and file.options:
        yield wording.TWO_OFFICERS
    for option in file.options:
        yield f"  --action {option.action}: {option.label}. {option.consequence}"


@_example('quychu office decide 12 --action confirm --reason "Đã xem bản gốc" --config confirm_api.toml --officer lan')
@office.command(context_settings=_SETTINGS)
@click.argument("no", type=click.IntRange(1))
@_officer
@click.option("--action", required=True, help="One of the decisions that 'show' lists.")
@click.option("--reason", required=True, help="The ground of the decision, 10 to 500 letters.")
@click.option("--yes", is_flag=True, help="Do not ask again.")
@_json
def decide(
    no: int,
    config: Path,
    officer: str,
    password_file: Path | None,
    action: str,
    reason: str,
    *,
    yes: bool,
    as_json: bool,
) -> None:
    """Decide a case, or give the first of two votes."""
    from confirm_api.office import decisions  # noqa: PLC0415

    with _desk(config, officer, password_file) as desk:
        consequence = desk.do(lambda unit: _consequence(unit, desk.actor, no, action, reason), no)
        if not yes:
            click.confirm(f"{consequence} Ghi quyết định?", abort=True, err=True)
        done = desk.do(lambda unit: decisions.decide(unit, desk.actor, no, action, reason), no)
    if as_json:
        _print_json(asdict(done))
    else:
        click.echo("Đã ghi quyết định." if done.state == "decided" else "Đã ghi ý kiến; hồ sơ chờ cán bộ thứ hai.")


def _consequence(unit: Unit, actor: Actor, no: int, action: str, reason: str) -> str:
    from confirm_api.office import rules, wording  # noqa: PLC0415
    from confirm_api.office.cases import take  # noqa: PLC0415

    case = take(unit, actor, no)
    rules.check_decision(actor, case.kind, action, reason)
    return f"{wording.ACTIONS[action]}. {wording.consequence(case.kind, action)}"


@_example('quychu office reopen 12 --reason "Có giấy tờ mới" --config confirm_api.toml --officer lan')
@office.command(context_settings=_SETTINGS)
@click.argument("no", type=click.IntRange(1))
@_officer
@click.option("--reason", required=True, help="Why, 10 to 500 letters.")
def reopen(no: int, config: Path, officer: str, password_file: Path | None, reason: str) -> None:
    """Open a decided case again; it then ends by two officers."""
    from confirm_api.office import decisions  # noqa: PLC0415

    with _desk(config, officer, password_file) as desk:
        desk.do(lambda unit: decisions.reopen(unit, desk.actor, no, reason), no)
    click.echo("Đã mở lại hồ sơ; hồ sơ cần hai cán bộ quyết định.")


@_example('quychu office dispute --question ID --item ID --reason "…" --config confirm_api.toml --officer lan')
@office.command(context_settings=_SETTINGS)
@_officer
@click.option("--question", required=True, metavar="ID", help="The question's id.")
@click.option("--item", required=True, metavar="ID", help="The item's id.")
@click.option("--reason", required=True, help="Why, 10 to 500 letters.")
def dispute(config: Path, officer: str, password_file: Path | None, question: str, item: str, reason: str) -> None:
    """Dispute a parcel whose question has ended; the dispute then ends by two officers."""
    from confirm_api.office import decisions  # noqa: PLC0415

    with _desk(config, officer, password_file) as desk:
        no = desk.do(lambda unit: decisions.open_dispute(unit, desk.actor, question, item, reason))
    click.echo(f"Đã mở tranh chấp: hồ sơ số {no}, cần hai cán bộ quyết định.")


# ---- accounts ------------------------------------------------------------------------------------------------------


@office.group("officer", context_settings=_SETTINGS)
def officer_group() -> None:
    """Officers' accounts."""


def _administer(config: Path, work: Callable[[Unit], _T]) -> _T:
    from confirm_api.errors import OfficeError  # noqa: PLC0415

    with opened(config) as units:
        try:
            with units.begin() as unit:
                return work(unit)
        except OfficeError as refusal:
            raise click.ClickException(str(refusal)) from None


def _hashed(name: str, password: str) -> str:
    from confirm_api.office.officers import hashed  # noqa: PLC0415
    from confirm_api.office.refusals import PasswordRuleError  # noqa: PLC0415

    try:
        return hashed(name, password)
    except PasswordRuleError as refusal:
        raise click.ClickException(str(refusal)) from None


@_example('quychu office officer add lan --role reviewer --commune "Xã Xuân Trường" --config confirm_api.toml')
@officer_group.command(context_settings=_SETTINGS)
@click.argument("name")
@_config
@click.option("--role", type=click.Choice(_ROLES), required=True)
@click.option("--commune", help="Only this commune's cases (default: all).")
@click.option("--oidc-subject", help="Subject at the OpenID provider; the account then needs no password.")
@_password_file
def add(
    name: str, config: Path, role: str, commune: str | None, oidc_subject: str | None, password_file: Path | None
) -> None:
    """Make an account."""
    from confirm_api.office import officers  # noqa: PLC0415

    wants_password = oidc_subject is None or password_file is not None
    hash_ = _hashed(name, _password(password_file, new=True)) if wants_password else None
    told: dict[str, Any] = {"commune": commune, "password_hash": hash_, "oidc_subject": oidc_subject}
    _administer(config, lambda unit: officers.add(unit, name, role, **told))
    click.echo(f"Đã tạo tài khoản {name}.")


@officer_group.command(context_settings=_SETTINGS)
@click.argument("name")
@_config
def disable(name: str, config: Path) -> None:
    """Close an account at once."""
    from confirm_api.office import officers  # noqa: PLC0415

    _administer(config, lambda unit: officers.disable(unit, name))
    click.echo(f"Đã khoá tài khoản {name}.")


@officer_group.command(context_settings=_SETTINGS)
@click.argument("name")
@_config
@_password_file
def password(name: str, config: Path, password_file: Path | None) -> None:
    """Give an account a new password."""
    from confirm_api.office import officers  # noqa: PLC0415

    hash_ = _hashed(name, _password(password_file, new=True))
    _administer(config, lambda unit: officers.set_password(unit, name, hash_))
    click.echo(f"Đã đổi mật khẩu của {name}.")


@officer_group.command("list", context_settings=_SETTINGS)
@_config
@_json
def list_accounts(config: Path, *, as_json: bool) -> None:
    """List the accounts."""
    from confirm_api.office import officers, wording  # noqa: PLC0415

    found = _administer(config, officers.all_accounts)
    if as_json:
        _print_json([asdict(account) for account in found])
        return
    for account in found:
        state = "" if account.active else " (đã khoá)"
        reach = account.commune or "mọi xã, phường"
        click.echo(f"{account.name:<24}  {wording.ROLES[account.role]:<28}  {reach}{state}")
