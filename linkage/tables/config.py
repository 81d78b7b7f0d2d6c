"""What a generic run is told: one TOML file that describes tables, rules, comparisons and decisions.

Rules
- `[run] kind` is `link` (two tables, `[sources.left]` and `[sources.right]`) or `dedupe` (one, `[sources.records]`).
- An unknown key, column, comparison or kind is refused by name: a slip of the pen cannot change a run in silence.
- A field keeps one name throughout; a name that SQL keeps for itself is refused.
- `file` stands relative to the TOML file; a file given on the command line comes first.
- The hash of a config is that of its checked values, not of its comments, and not of the files' places.

>>> LevelConfig(jaro_winkler="surname", at_least=0.9).kind
'jaro_winkler'
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import duckdb
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from linkage.errors import ConfigError

KINDS, LAND_REGISTER = ("link", "dedupe"), "land-register"
LEFT, RIGHT, RECORDS = "left", "right", "records"

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,50}$")]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Keys = Annotated[tuple[Name, ...], Field(min_length=1)]

_OURS = frozenset({"id", "unique_id", "l", "r", "n", "pairs", "group_no", "match_key", "evidence_bits"})
_WITH_NUMBER = {
    "jaro_winkler": "at_least",
    "levenshtein": "at_most",
    "damerau": "at_most",
    "within": "at_most",
    "shared": "at_least",
}
_LEVELS = ("equal", *_WITH_NUMBER, "crossed", "word_of", "begins")
_DERIVED = ("soundex", "first_letters", "last_letters", "first_word", "last_word", "words", "joined")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _one_of(part: BaseModel, kinds: Iterable[str]) -> str:
    given = [kind for kind in kinds if getattr(part, kind) is not None]
    if len(given) != 1:
        message = f"expected exactly one of {', '.join(kinds)}, found {', '.join(given) or 'none'}"
        raise ValueError(message)
    return given[0]


class Run(_Part):
    """What is done: two tables linked, or one freed of duplicates."""

    kind: Literal["link", "dedupe"]


class TableSource(_Part):
    """A table: where it is, its unique column, and headers that differ from the fields' names."""

    file: str | None = None
    unique_id: str = "unique_id"
    columns: dict[Name, str] = Field(default_factory=dict)
    format: Literal["auto", "csv", "parquet", "xlsx"] = "auto"
    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None


class FieldConfig(_Part):
    """A column that comparisons may see, prepared by its type."""

    type: Literal["name", "text", "code", "date", "number"]
    column: str | None = None


class DerivedConfig(_Part):
    """A column made from another: exactly one of the kinds, with its number where it needs one."""

    soundex: Name | None = None
    first_letters: Name | None = None
    last_letters: Name | None = None
    first_word: Name | None = None
    last_word: Name | None = None
    words: Name | None = None
    joined: tuple[Name, Name] | None = None
    length: int | None = Field(None, ge=1)
    min_length: int | None = Field(None, ge=1)

    @property
    def kind(self) -> str:
        """Which of the kinds it is."""
        return _one_of(self, _DERIVED)

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns it is made from."""
        value = getattr(self, self.kind)
        return (value,) if isinstance(value, str) else tuple(value)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.kind in {"first_letters", "last_letters"}) != (self.length is not None):
            message = "expected 'length' with first_letters and last_letters, and with nothing else"
            raise ValueError(message)
        if self.min_length is not None and self.kind != "words":
            message = "expected 'min_length' with words only"
            raise ValueError(message)
        return self


class LevelConfig(_Part):
    """One condition on a pair: exactly one of the kinds, with its number where it needs one."""

    equal: Name | None = None
    jaro_winkler: Name | None = None
    levenshtein: Name | None = None
    damerau: Name | None = None
    within: Name | None = None
    shared: Name | None = None
    crossed: tuple[Name, Name] | None = None
    word_of: tuple[Name, Name] | None = None
    begins: Name | None = None
    at_least: float | None = Field(None, ge=0.0)
    at_most: float | None = Field(None, ge=0.0)
    term_frequency: bool = False

    @property
    def kind(self) -> str:
        """Which of the kinds it is."""
        return _one_of(self, _LEVELS)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        value = getattr(self, self.kind)
        return (value,) if isinstance(value, str) else tuple(value)

    @property
    def number(self) -> float:
        """Its `at_least` or `at_most`."""
        return (self.at_least if self.at_least is not None else self.at_most) or 0.0

    @model_validator(mode="after")
    def _complete(self) -> Self:
        wanted = _WITH_NUMBER.get(self.kind)
        given = [name for name in ("at_least", "at_most") if getattr(self, name) is not None]
        if given != ([wanted] if wanted else []):
            message = f"expected {f'the number {wanted!r}' if wanted else 'no number'} with {self.kind}"
            raise ValueError(message)
        if self.kind == "jaro_winkler" and self.number > 1.0:
            message = "expected 'at_least' from 0 to 1 with jaro_winkler"
            raise ValueError(message)
        if self.term_frequency and self.kind != "equal":
            message = "expected 'term_frequency' with equal only"
            raise ValueError(message)
        return self


def _as_list(level: object) -> object:
    return level if isinstance(level, list) else [level]


Conditions = Annotated[tuple[LevelConfig, ...], BeforeValidator(_as_list), Field(min_length=1)]
"""A level of a comparison: all of its conditions must hold."""


class ComparisonConfig(_Part):
    """Levels, best first; no evidence where one of `missing` is empty on either side."""

    name: Name
    missing: Keys
    levels: Annotated[tuple[Conditions, ...], Field(min_length=1)]
    sentence: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column it reads, each once."""
        read = [column for level in self.levels for condition in level for column in condition.columns]
        return tuple(dict.fromkeys([*self.missing, *read]))


class Blocking(_Part):
    """Which pairs are compared: those that agree on all columns of a rule; and the largest block, in pairs."""

    rules: Annotated[tuple[Keys, ...], Field(min_length=1, max_length=100)]
    max_block_pairs: int = Field(1_000_000, ge=1)


class Training(_Part):
    """How m, u and the prior are estimated; sizes in pairs, smoothing in matches."""

    em: Annotated[tuple[Keys, ...], Field(min_length=1)]
    certain: tuple[Keys, ...] = ()
    certain_recall: float | None = Field(None, gt=0.0, le=1.0)
    term_frequencies_from: Literal["both", "left", "right"] = "both"
    seed: int = 1
    u_pairs: int = Field(1_000_000, ge=1000)
    block_pairs: int = Field(1_000_000, ge=1000)
    smoothing: float = Field(20.0, ge=0.0)
    max_iterations: int = Field(2000, ge=1)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if bool(self.certain) != (self.certain_recall is not None):
            message = "expected 'certain' and 'certain_recall' together, or neither"
            raise ValueError(message)
        return self


class Decide(_Part):
    """From probabilities to decisions of a link run."""

    links: Literal["one_to_one", "many_to_one"] = "many_to_one"
    probability: Literal["pair", "posterior"] = "pair"
    link_at: Share = 0.9
    review_at: Share = 0.1
    keep_at: Share = 0.001

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.keep_at <= self.review_at <= self.link_at:
            message = "expected keep_at ≤ review_at ≤ link_at"
            raise ValueError(message)
        return self


class Cluster(_Part):
    """From probabilities to groups of a dedupe run."""

    method: Literal["average_linkage", "connected_components"] = "average_linkage"
    link_at: Share = 0.5
    score_whole_groups: bool = True
    mean_probability: Annotated[float, Field(gt=0.0, le=1.0)] = 0.5
    max_group: int = Field(2000, ge=2)
    keep_at: Share = 0.001

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.keep_at > self.link_at:
            message = "expected keep_at ≤ link_at"
            raise ValueError(message)
        return self


class TablesConfig(_Part):
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
    found = duckdb.execute("select keyword_name from duckdb_keywords() where keyword_category = 'reserved'").fetchall()
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
