"""Officers' accounts: made on the server's command line, opened with a password or through OpenID Connect.

Rules
- A password is kept as argon2id only. An unknown name costs the same hash as a known one, and every refusal is the same
  sentence: nobody learns which names exist, are locked or disabled.
- After `FREE_TRIES` failures an account is locked for a time that doubles with each further one, up to an hour; a right
  password during the lock is refused too.
- Hashing takes place outside any transaction, so that nobody waits for it, and two at a time: each takes 64 MiB.
- Every login, right or wrong, and every change of an account is a leaf `officer`; the leaf names nobody.
- Disabling an account or changing its password ends its sessions.

>>> lock_seconds(4), lock_seconds(5), lock_seconds(7), lock_seconds(30)
(0, 30, 120, 3600)
"""

from __future__ import annotations

import re
import threading
import unicodedata
from dataclasses import dataclass
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Row, delete, func, insert, select, update

from confirm_api.office.communes import normal_form
from confirm_api.office.refusals import AccountError, LoginError, PasswordRuleError
from confirm_api.office.rules import ROLES, Actor
from confirm_api.store.tables import officers, sessions
from confirm_api.unit import Unit, Units

FREE_TRIES: Final = 5
FIRST_LOCK_SECONDS: Final = 30
LONGEST_LOCK_SECONDS: Final = 3_600
PASSWORD_LETTERS: Final = (12, 128)
LEAST_DIFFERENT_LETTERS: Final = 5

_NAME: Final = re.compile(r"[a-z][a-z0-9._-]{1,63}")
_HASHER: Final = PasswordHasher()  # the library's default: RFC 9106, low memory (64 MiB, 3 passes, 4 lanes)
_NOBODY: Final = _HASHER.hash("a password that no account has")
_AT_ONCE: Final = threading.BoundedSemaphore(2)
_COMMON: Final = (
    "password",
    "matkhau",
    "mat khau",
    "123456",
    "qwerty",
    "abc123",
    "anhyeuem",
    "quychu",
    "vanphongdangky",
    "diachinh",
    "canbo",
)
"""What a password may not mainly consist of."""


@dataclass(frozen=True)
class Account:
    """An officer as the command line lists them."""

    name: str
    role: str
    commune: str | None
    active: bool
    has_password: bool
    has_oidc: bool
    locked_until: int


def lock_seconds(failed: int) -> int:
    """How long an account is locked after so many failures in a row."""
    if failed < FREE_TRIES:
        return 0
    doublings = min(failed - FREE_TRIES, 12)
    return min(FIRST_LOCK_SECONDS << doublings, LONGEST_LOCK_SECONDS)


def check_password(name: str, password: str) -> None:
    """Refuse a password that is short, endless, all alike, common, or holds the account's name."""
    text = _form(password)
    rest = text.casefold()
    for common in (*_COMMON, name):
        rest = rest.replace(common, "")
    least, most = PASSWORD_LETTERS
    good = least <= len(text) <= most and len(set(text)) >= LEAST_DIFFERENT_LETTERS
    if not good or len(rest) < least // 2 or name in text.casefold():
        raise PasswordRuleError


def add(
    unit: Unit,
    name: str,
    role: str,
    *,
    commune: str | None = None,
    password_hash: str | None = None,
    oidc_subject: str | None = None,
) -> None:
    """Make an account; `hashed` makes the hash. Without a password it opens through OpenID Connect only."""
    _check_account(name, role, commune)
    if password_hash is None and oidc_subject is None:
        raise AccountError("Tài khoản cần có mật khẩu hoặc định danh OpenID Connect (--oidc-subject).")
    if _row(unit, name) is not None:
        raise AccountError("Tên đăng nhập đã có; hãy chọn tên khác.")
    values = {"name": name, "role": role, "commune": commune, "active": True}
    hashes = {"password_hash": password_hash, "oidc_subject": oidc_subject}
    unit.conn.execute(insert(officers).values(**values, **hashes))
    unit.leaf("officer", "accepted", reason=f"account-added-{role.replace('_', '-')}")


def disable(unit: Unit, name: str) -> None:
    """Close an account at once; its sessions end, and its votes in undecided cases count no longer."""
    _known(unit, name)
    unit.conn.execute(update(officers).where(officers.c.name == name).values(active=False))
    _end_sessions(unit, name)
    unit.leaf("officer", "accepted", reason="account-disabled")


def set_password(unit: Unit, name: str, password_hash: str) -> None:
    """Give an active account a new password; its sessions and its lock end."""
    _known(unit, name)
    fresh = {"password_hash": password_hash, "failed": 0, "locked_until": 0}
    unit.conn.execute(update(officers).where(officers.c.name == name).values(fresh))
    _end_sessions(unit, name)
    unit.leaf("officer", "accepted", reason="password-changed")


def all_accounts(unit: Unit) -> list[Account]:
    """Every account, by name."""
    rows = unit.conn.execute(select(officers).order_by(officers.c.name)).all()
    return [
        Account(
            row.name,
            row.role,
            row.commune,
            row.active,
            row.password_hash is not None,
            row.oidc_subject is not None,
            row.locked_until,
        )
        for row in rows
    ]


def hashed(name: str, password: str) -> str:
    """The hash of a password that keeps the rules."""
    check_password(name, password)
    with _AT_ONCE:
        return _HASHER.hash(_form(password))


def login(units: Units, name: str, password: str) -> Actor:
    """The officer whose password this is; LoginError in every other case, after the same work."""
    with units.begin() as unit:
        found = _row(unit, name)
    right = _verify(found, password)
    with units.begin() as unit:
        actor = _settle(unit, name, right=right)
    if actor is None:
        raise LoginError
    return actor


def login_by_subject(unit: Unit, subject: str) -> Actor | None:
    """The officer of a verified OpenID Connect subject; null where there is none, or a disabled one."""
    row = unit.conn.execute(select(officers).where(officers.c.oidc_subject == subject, officers.c.active)).first()
    unit.leaf("officer", "accepted" if row else "refused", reason="login-oidc")
    return None if row is None else Actor(row.name, row.role, row.commune)


def actor_of(unit: Unit, name: str) -> Actor | None:
    """An active officer as they are now."""
    row = _row(unit, name)
    return Actor(row.name, row.role, row.commune) if row is not None and row.active else None


# ---- private -------------------------------------------------------------------------------------------------------


def _form(password: str) -> str:
    """One form for what two keyboards may type differently (RFC 8265: OpaqueString)."""
    return unicodedata.normalize("NFC", password)


def _verify(row: Row[tuple[object, ...]] | None, password: str) -> bool:
    stored = _NOBODY if row is None or row.password_hash is None else row.password_hash
    try:
        with _AT_ONCE:
            _HASHER.verify(stored, _form(password))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not _NOBODY


def _settle(unit: Unit, name: str, *, right: bool) -> Actor | None:
    """Count the failure or forget the earlier ones; the account as it is now decides, not as it was before hashing."""
    row = unit.conn.execute(select(officers).where(officers.c.name == name).with_for_update()).first()
    good = right and row is not None and row.active and row.locked_until <= unit.now
    if row is not None and good:
        unit.conn.execute(update(officers).where(officers.c.name == name).values(failed=0, locked_until=0))
    elif row is not None and row.locked_until <= unit.now:
        until = unit.now + lock_seconds(row.failed + 1)
        unit.conn.execute(
            update(officers).where(officers.c.name == name).values(failed=row.failed + 1, locked_until=until)
        )
    unit.leaf("officer", "accepted" if good else "refused", reason="login")
    return Actor(row.name, row.role, row.commune) if row is not None and good else None


def _check_account(name: str, role: str, commune: str | None) -> None:
    if _NAME.fullmatch(name) is None:
        raise AccountError(
            "Tên đăng nhập gồm 2 đến 64 chữ thường không dấu, chữ số, dấu chấm, gạch nối; hãy chọn tên khác."
        )
    if role not in ROLES:
        raise AccountError(f"Vai trò là một trong {', '.join(ROLES)}; hãy chọn lại.")
    if commune is not None and not normal_form(commune)[1]:
        raise AccountError("Tên xã, phường để trống; hãy ghi tên, hoặc bỏ tuỳ chọn này nếu không giới hạn địa bàn.")


def _row(unit: Unit, name: str) -> Row[tuple[object, ...]] | None:
    return unit.conn.execute(select(officers).where(officers.c.name == name)).first()


def _known(unit: Unit, name: str) -> None:
    if not unit.conn.execute(select(func.count()).where(officers.c.name == name, officers.c.active)).scalar():
        raise AccountError


def _end_sessions(unit: Unit, name: str) -> None:
    unit.conn.execute(delete(sessions).where(sessions.c.officer == name))
