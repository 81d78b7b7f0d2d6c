"""The sections of a config file, each checked for itself; `config.py` checks that they fit together.

Rules
- A section refuses a key it does not know.
- A level and a derived column are of exactly one kind, with the number that this kind needs and no other.

>>> LevelConfig(jaro_winkler="surname", at_least=0.9).kind
'jaro_winkler'
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,50}$")]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Keys = Annotated[tuple[Name, ...], Field(min_length=1)]

_WITH_NUMBER = {
    "jaro_winkler": "at_least",
    "levenshtein": "at_most",
    "damerau": "at_most",
    "within": "at_most",
    "shared": "at_least",
}
_LEVELS = ("equal", *_WITH_NUMBER, "crossed", "word_of", "begins")
_DERIVED = ("soundex", "first_letters", "last_letters", "first_word", "last_word", "words", "joined")


class Part(BaseModel):
    """A section of a config file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _one_of(part: BaseModel, kinds: Iterable[str]) -> str:
    given = [kind for kind in kinds if getattr(part, kind) is not None]
    if len(given) != 1:
        message = f"expected exactly one of {', '.join(kinds)}, found {', '.join(given) or 'none'}"
        raise ValueError(message)
    return given[0]


class Run(Part):
    """What is done: two tables linked, or one freed of duplicates."""

    kind: Literal["link", "dedupe"]


class TableSource(Part):
    """A table: where it is, its unique column, and headers that differ from the fields' names."""

    file: str | None = None
    unique_id: str = "unique_id"
    columns: dict[Name, str] = Field(default_factory=dict)
    format: Literal["auto", "csv", "parquet", "xlsx"] = "auto"
    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None


class FieldConfig(Part):
    """A column that comparisons may see, prepared by its type."""

    type: Literal["name", "text", "code", "date", "number"]
    column: str | None = None


class DerivedConfig(Part):
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


class LevelConfig(Part):
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


class ComparisonConfig(Part):
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


class Blocking(Part):
    """Which pairs are compared: those that agree on all columns of a rule; and the largest block, in pairs."""

    rules: Annotated[tuple[Keys, ...], Field(min_length=1, max_length=100)]
    max_block_pairs: int = Field(1_000_000, ge=1)


class Training(Part):
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


class Decide(Part):
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


class Cluster(Part):
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
