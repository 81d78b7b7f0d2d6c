"""What a run is told: one TOML file, checked before anything starts.

Rules
- Every key has a default but those that name columns; an unknown key is refused by name, so that a slip of the pen
  cannot change a run in silence.
- A config holds no secret and no path: files are given on the command line.
- The hash of a config is that of its checked values, not of its comments.

>>> load(None).decide.link_at
0.99
"""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from linkage.errors import ConfigError

VINTAGES = Literal["before-2025-07-01", "from-2025-07-01"]


_PROVINCES = frozenset(
    f"{code:02}"
    for code in (
        *(1, 4, 8, 11, 12, 14, 15, 19, 20, 22, 24, 25, 31, 33, 37, 38, 40),
        *(42, 44, 46, 48, 51, 52, 56, 66, 68, 75, 79, 80, 82, 86, 91, 92, 96),
    )
)
"""Codes of the 34 provinces since 1 July 2025 (the successors in `normalise.provinces`)."""
_COLUMNS = {
    "owners": [
        "owner_record_id",
        "parcel_code",
        "commune_code",
        "commune_code_vintage",
        "map_sheet_no",
        "parcel_no",
        "map_scale",
        "area_m2",
        "land_use_code",
        "parcel_address",
        "certificate_serial",
        "certificate_no",
        "certificate_date",
        "owner_kind",
        "owner_role",
        "owner_name",
        "owner_birth",
        "owner_sex",
        "owner_id_no",
        "owner_id_date",
        "owner_address",
        "co_owner_name",
        "co_owner_birth",
        "co_owner_sex",
        "co_owner_id_no",
    ],
    "citizens": [
        "citizen_id",
        "full_name",
        "former_id_no",
        "birth_date",
        "sex",
        "commune_code",
        "commune_code_vintage",
        "address",
        "spouse_name",
        "spouse_citizen_id",
        "father_name",
        "mother_name",
        "household_id",
        "status",
    ],
}
"""The columns that an office may name: those of `schemas.OWNER_LINES` and `CITIZEN_LINES` (a test holds them equal)."""
_OF_EXPORTS = ("relation", "owner_id_kind", "co_owner_id_kind")
"""What an ELIS export says beside the columns of a line."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Run(_Part):
    """What is linked."""

    kind: Literal["land-register"] = "land-register"
    home_provinces: tuple[str, ...] = ()

    @field_validator("home_provinces")
    @classmethod
    def _are_new_codes(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        for code in codes:
            if code not in _PROVINCES:
                message = f"'{code}' is no code of a province since 2025-07-01; give two digits such as '44'"
                raise ValueError(message)
        return codes


class SourceConfig(_Part):
    """How one file is read: our column → header in the file, and what the file does not say."""

    columns: dict[str, str] = Field(default_factory=dict)
    constants: dict[str, str] = Field(default_factory=dict)
    sex_coding: dict[str, str] = Field(default_factory=dict)
    format: Literal["auto", "pl3-01", "elis", "csv", "parquet", "xlsx"] = "auto"
    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    vintage: VINTAGES | None = None


class Sources(_Part):
    """The two files of a land register run."""

    owners: SourceConfig = SourceConfig(vintage="before-2025-07-01")
    citizens: SourceConfig = SourceConfig(vintage="from-2025-07-01")

    @model_validator(mode="after")
    def _know_their_columns(self) -> Self:
        for side, known in _COLUMNS.items():
            also = _OF_EXPORTS if side == "owners" else ()
            source: SourceConfig = getattr(self, side)
            for table, given in (("columns", source.columns), ("constants", source.constants)):
                _refuse_unknown(f"sources.{side}", table, given, [*known, *also])
        return self


def _refuse_unknown(section: str, table: str, given: dict[str, str], known: list[str]) -> None:
    for key in given:
        if key in SourceConfig.model_fields:
            message = (
                f"'{key}' in [{section}.{table}] is a setting, not a column; it belongs above the table, in [{section}]"
            )
            raise ValueError(message)
        if key not in known:
            message = (
                f"unknown key '{key}' in [{section}.{table}]; known here: {', '.join(known)} "
                "(a setting belongs above the table)"
            )
            raise ValueError(message)


class Gather(_Part):
    """Quy chủ: how many others may share a likeness before two lines count as one person."""

    max_others: float = Field(0.01, ge=0.0, le=1.0)


class Blocking(_Part):
    """Columns that must agree, and the largest block (in pairs) that is still compared."""

    equal: tuple[str, ...] = Field(min_length=1)
    max_block_pairs: int = Field(100_000, ge=1)


class ComparisonConfig(_Part):
    """A comparison of the catalogue."""

    kind: str


class Training(_Part):
    """Training blocks; sizes in pairs, smoothing in matches."""

    blocks: tuple[tuple[str, ...], ...]
    seed: int = 1
    u_pairs: int = Field(1_000_000, ge=1000)
    block_pairs: int = Field(300_000, ge=1000)
    smoothing: float = Field(20.0, ge=0.0)
    max_iterations: int = Field(2000, ge=1)


class Decide(_Part):
    """Probabilities between the decisions."""

    link_at: float = Field(0.99, gt=0.5, le=1.0)
    ask_at: float = Field(0.1, ge=0.0, le=1.0)
    rival_at: float = Field(0.02, ge=0.0, le=1.0)


class Config(_Part):
    """A land register run."""

    run: Run = Run()
    sources: Sources = Sources()
    gather: Gather = Gather(max_others=0.01)
    blocking: tuple[Blocking, ...]
    comparisons: tuple[ComparisonConfig, ...]
    training: Training
    decide: Decide = Decide(link_at=0.99, ask_at=0.1, rival_at=0.02)

    def fingerprint(self) -> str:
        """SHA-256 of the checked values, hex."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def shipped(name: str) -> Path:
    """A config that comes with quychu: beside the package in a wheel, in `configs/` of a checkout."""
    inside = Path(__file__).parent / "configs" / name
    return inside if inside.exists() else Path(__file__).parent.parent / "configs" / name


def _sentence(file: Path, error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "the file"
    if first["type"] == "extra_forbidden":
        return f"{file.name}: unknown key '{where}'; known here: {', '.join(_keys_at(first['loc'][:-1]))}."
    if first["type"] == "value_error":
        return f"{file.name}: at '{where}': {first['ctx']['error']}."
    return f"{file.name}: at '{where}': {first['msg']}; mend the config."


def _keys_at(place: tuple[int | str, ...]) -> list[str]:
    """The keys of a table of the config; a list's index stands for each of its tables.

    >>> _keys_at(("blocking", 0))
    ['equal', 'max_block_pairs']
    """
    model: Any = Config
    for name in place:
        if isinstance(name, str):
            kind = model.model_fields[name].annotation
            model = next((part for part in get_args(kind) if part is not Ellipsis), kind)
    return list(model.model_fields)


def load(path: Path | None) -> Config:
    """The config in `path`, or the shipped one for the land register; `ConfigError` in one sentence."""
    file = path or shipped("land-register.toml")
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        message = f"{file}: expected a config file, found none; check the path."
        raise ConfigError(message) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        message = f"{file.name}: expected TOML in UTF-8, found {error}; mend the config."
        raise ConfigError(message) from None
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError(_sentence(file, error)) from None
