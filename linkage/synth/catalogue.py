"""The error catalogue: what goes wrong in a land register, how often, in which unit, and why.

Rules
- Every rate the generator uses stands in `errors.toml`; there is none in the code.
- A profile is `mixed`, `rural`, `urban`, or a TOML file of the same form. Such a file may hold only the errors it
  changes; an entry there gives `rate`, or `mixed` where it is a copy of the shipped table.
- An unknown id, or a rate outside 0 to 1, is refused.

>>> Catalogue.load("rural").rate("id_missing")
0.25
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linkage.errors import ConfigError, UnreadableFileError

TABLE = Path(__file__).with_name("errors.toml")
PROFILES = ("mixed", "rural", "urban")


@dataclass(frozen=True)
class Entry:
    """One kind of error: `rate` is the share of its `unit`."""

    id: str
    rate: float
    unit: str
    what: str
    why: str


@dataclass(frozen=True)
class Catalogue:
    """The entries of one profile, by id."""

    profile: str
    entries: Mapping[str, Entry]

    @classmethod
    def load(cls, profile: str | Path = "mixed") -> Catalogue:
        """The shipped table for a named profile, or that table with the changes of a file."""
        if str(profile) in PROFILES:
            return cls(str(profile), {row["id"]: _entry(row, str(profile), TABLE.name) for row in _rows(TABLE)})
        path = Path(profile)
        base = {row["id"]: row for row in _rows(TABLE)}
        changes = {row["id"]: row for row in _rows(path)}
        for unknown in changes.keys() - base.keys():
            message = f"{path.name}: expected ids of the error catalogue, found '{unknown}'; see {TABLE.name}."
            raise ConfigError(message)
        merged = {key: {**row, **changes.get(key, {})} for key, row in base.items()}
        return cls(path.name, {key: _entry(row, "mixed", path.name) for key, row in merged.items()})

    def rate(self, error: str) -> float:
        """The share declared for an error."""
        return self.entries[error].rate

    def rates(self, *errors: str) -> list[float]:
        """Several shares, in the order asked for."""
        return [self.rate(error) for error in errors]


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("error")
    except OSError as error:
        named = ", ".join(PROFILES)
        raise UnreadableFileError(str(path), "no such profile", f"give one of {named} or a TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        rows = None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "id" in row for row in rows):
        message = f"{path.name}: expected a TOML file of [[error]] entries with ids, found none; see {TABLE.name}."
        raise ConfigError(message)
    return rows


def _entry(row: Mapping[str, Any], profile: str, file: str) -> Entry:
    rate = row.get("rate", row.get(profile))
    if not isinstance(rate, int | float) or isinstance(rate, bool) or not 0 <= rate <= 1:
        message = f"{file}: expected a rate between 0 and 1 for '{row['id']}', found something else; correct it."
        raise ConfigError(message)
    return Entry(row["id"], float(rate), row["unit"], row["what"], row["why"])
