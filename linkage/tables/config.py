"""What a generic run is told: one TOML file that describes tables, rules, comparisons and decisions.

Rules
- `[run] kind` is `link` (two tables, `[sources.left]` and `[sources.right]`) or `dedupe` (one, `[sources.records]`).
- An unknown key, column, comparison or kind is refused by name: a slip of the pen cannot change a run in silence.
- A field keeps one name throughout; a name that SQL keeps for itself is refused.
- `file` stands relative to the TOML file; a file given on the command line comes first.
- The hash of a config is that of its checked values, not of its comments, and not of the files' places.

>>> kind_of(None) is None
True
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from linkage.engines.duckdb import connect
from linkage.errors import ConfigError
from linkage.tables.parts import (
    Blocking,
    Cluster,
    ComparisonConfig,
    Decide,
    DerivedConfig,
    FieldConfig,
    LevelConfig,
    Name,
    Part,
    Run,
    TableSource,
    Training,
)

KINDS, LAND_REGISTER = ("link", "dedupe"), "land-register"
LEFT, RIGHT, RECORDS = "left", "right", "records"

_OURS = frozenset({"id", "unique_id", "l", "r", "n", "pairs", "group_no", "match_key", "evidence_bits"})


class TablesConfig(Part):
    """A generic run."""

    run: Run
    sources: dict[Literal["left", "right", "records"], TableSource] = Field(default_factory=dict)
    fields: Annotated[dict[Name, FieldConfig], Field(min_length=1)]
    derive: dict[Name, DerivedConfig] = Field(default_factory=dict)
    blocking: Blocking
    comparisons: Annotated[tuple[ComparisonConfig, ...], Field(min_length=1)]
    training: Training
    decide: Decide | None = None
    cluster: Cluster | None = None

    @property
    def dedupe(self) -> bool:
        """One table paired with itself."""
        return self.run.kind == "dedupe"

    @property
    def sides(self) -> tuple[str, ...]:
        """The tables of the run."""
        return (RECORDS,) if self.dedupe else (LEFT, RIGHT)

    @property
    def lists(self) -> tuple[str, ...]:
        """Columns that hold a list of words."""
        return tuple(name for name, made in self.derive.items() if made.kind == "words")

    def source(self, side: str) -> TableSource:
        """How a table is read."""
        return {str(name): source for name, source in self.sources.items()}.get(side, TableSource())

    def fingerprint(self) -> str:
        """SHA-256 of the checked values, hex; files count by what is in them."""
        values = self.model_dump(mode="json")
        for source in values["sources"].values():
            del source["file"]
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        _check_sides(self)
        _check_names(self)
        _check_columns(self)
        _check_comparisons(self)
        return self


def _check_sides(config: TablesConfig) -> None:
    foreign = sorted(set(config.sources) - set(config.sides))
    if foreign:
        message = f"expected sources {', '.join(config.sides)} with kind {config.run.kind}, found {', '.join(foreign)}"
        raise ValueError(message)
    other = "decide" if config.dedupe else "cluster"
    if getattr(config, other) is not None:
        message = f"expected [{'cluster' if config.dedupe else 'decide'}] with kind {config.run.kind}, found [{other}]"
        raise ValueError(message)
    for side, source in config.sources.items():
        _known(source.columns, config.fields, f"sources.{side}.columns")


def _reserved() -> frozenset[str]:
    with connect(threads=1) as con:
        sql = "select keyword_name from duckdb_keywords() where keyword_category = 'reserved'"
        found = con.execute(sql).fetchall()
    return _OURS | {name for (name,) in found}


def _check_names(config: TablesConfig) -> None:
    both = sorted(set(config.fields) & set(config.derive))
    if both:
        message = f"expected each name once, found '{both[0]}' in [fields] and in [derive]"
        raise ValueError(message)
    taken = sorted({*config.fields, *config.derive} & _reserved())
    if taken:
        message = f"expected another name for the column '{taken[0]}', which SQL or quychu keeps for itself"
        raise ValueError(message)


def _known(columns: Iterable[str], known: Iterable[str], where: str) -> None:
    unknown = [column for column in columns if column not in set(known)]
    if unknown:
        message = f"{where}: expected one of {', '.join(known)}, found '{unknown[0]}'"
        raise ValueError(message)


def _check_columns(config: TablesConfig) -> None:
    known = list(config.fields)
    for name, made in config.derive.items():
        _known(made.sources, [column for column in known if column not in config.lists], f"derive.{name}")
        known.append(name)
    for number, rule in enumerate(config.blocking.rules):
        _known(rule, known, f"blocking.rules.{number}")
    plain = [column for column in known if column not in config.lists]
    for key in ("em", "certain"):
        for number, rule in enumerate(getattr(config.training, key)):
            _known(rule, plain, f"training.{key}.{number}")


def _check_comparisons(config: TablesConfig) -> None:
    known = [*config.fields, *config.derive]
    names = [comparison.name for comparison in config.comparisons]
    if len(set(names)) < len(names):
        message = "expected comparisons with names of their own, found one name twice"
        raise ValueError(message)
    for comparison in config.comparisons:
        where = f"comparisons.{comparison.name}"
        _known(comparison.columns, known, where)
        if not any(set(block).isdisjoint(comparison.columns) for block in config.training.em):
            message = (
                f"training.em: expected a block that reads no column of '{comparison.name}', found none to teach it"
            )
            raise ValueError(message)
        for level in comparison.levels:
            for condition in level:
                _check_types(config, condition, where)
        if len({str(level) for level in comparison.levels}) < len(comparison.levels):
            message = f"{where}: expected levels that differ, found one twice"
            raise ValueError(message)


def _check_types(config: TablesConfig, condition: LevelConfig, where: str) -> None:
    """Lists, numbers and texts each have levels of their own; only equality is for all."""
    numbers = {name for name, told in config.fields.items() if told.type == "number"}
    kind, columns = condition.kind, condition.columns
    wants = ["list" if kind == "shared" or (kind == "word_of" and i == 1) else "text" for i in range(len(columns))]
    if kind == "within":
        wants = ["number"]
    for column, want in zip(columns, wants, strict=True):
        found = "list" if column in config.lists else "number" if column in numbers else "text"
        if found != want and not (kind == "equal" and found == "number"):
            message = f"{where}: expected a {want} column with {kind}, found '{column}', a {found} column"
            raise ValueError(message)


def kind_of(path: Path | None) -> str | None:
    """`link` or `dedupe` where a config file asks for a generic run, else None (also where it cannot be read).

    A kind that no run knows is a `ConfigError`.
    """
    if path is None:
        return None
    try:
        kind = tomllib.loads(path.read_text(encoding="utf-8")).get("run", {}).get("kind")
    except (OSError, ValueError, AttributeError):
        return None
    if isinstance(kind, str) and kind not in (*KINDS, LAND_REGISTER):
        message = (
            f"{path.name}: expected run.kind {', '.join(KINDS)} or {LAND_REGISTER}, found '{kind}'; mend the config."
        )
        raise ConfigError(message)
    return kind if kind in KINDS else None


def _sentence(file: Path, error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"{file.name}: expected no key '{where}', found one; mend the config (docs/models.md lists the keys)."
    what = first["msg"].removeprefix("Value error, ")
    return f"{file.name}: {f'at {where!r}: ' if where else ''}{what}; mend the config."


def load(path: Path) -> TablesConfig:
    """The config in `path`; `ConfigError` in one sentence."""
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return TablesConfig.model_validate(data)
    except FileNotFoundError:
        message = f"{path}: expected a config file, found none; check the path."
        raise ConfigError(message) from None
    except ValidationError as error:
        raise ConfigError(_sentence(path, error)) from None
    except (OSError, ValueError) as error:
        message = f"{path.name}: expected TOML in UTF-8, found {error}; mend the config."
        raise ConfigError(message) from None
