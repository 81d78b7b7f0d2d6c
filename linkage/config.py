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
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from linkage.errors import ConfigError

VINTAGES = Literal["before-2025-07-01", "from-2025-07-01"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Run(_Part):
    """What is linked."""

    kind: Literal["land-register"] = "land-register"
    home_provinces: tuple[str, ...] = ()


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
    return f"{file.name}: at '{where}': {first['msg']}; mend the config."


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
