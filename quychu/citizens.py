"""Citizens who answer: declared behaviour that drives the provider's app in demos and benchmarks.

Rules
- Nothing but this opens the truth: it plays the people, who know their own land. Engine and service never see it.
- How people behave is declared in one `Behaviour`: shares, with names. Who behaves how follows from the seed and the
  citizen's own number, so that a run can be repeated and two runs may be compared person by person.
- A truthful citizen says "mine" for the places that are truly theirs, and reads the number from the paper: the printed
  one, not the register's slip. Of a place that is not theirs they say "not mine".
- A careless one says "mine" to everything and types the number of a paper they hold: the right one where they are named
  on that very line (a husband asked about his wife's place), else one of their own papers, which does not fit.
- A greedy one says "mine" to everything without any paper, and guesses anew at every attempt.
- Whoever has mislaid the paper says "mine" and leaves the number out.

Worked example: `Citizens.open(truth, owners, items, BEHAVIOURS["truthful"]).reply("045060000001", shown)` is what that
person taps, item by item, or None from one who never answers.

>>> paper_number("Số ab 12O.456 ")
'AB120456'
"""

from __future__ import annotations

import random
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from hashlib import blake2b
from math import exp, log
from pathlib import Path
from typing import Any, Literal

import polars as pl

from quychu.errors import QuychuError

Verdict = Literal["mine", "not_mine", "unsure", "suspected_fraud"]
Place = tuple[str, str]
"""`owner_record_id`, `role`: one person's place on one register line."""

DAY_SECONDS = 86_400
_LONGEST_DELAY_DAYS = 365.0


class BehaviourError(QuychuError):
    """A declared behaviour cannot be meant."""

    code = "behaviour"


@dataclass(frozen=True)
class Behaviour:
    """How the citizens of one world behave; each field is a share from 0 to 1 unless its name tells a unit.

    Of citizens: `replies`, `declines` (of those who reply), `careless`, `greedy`, `holds_paper` (has it at hand and can
    read it). Of their answers: `unsure`, `fraud_reports` (of places that are not theirs), `mistypes` (of numbers
    typed), `takes_for_own` (of other people's places on a line that names them too).
    """

    name: str = "truthful"
    replies: float = 1.0
    declines: float = 0.0
    careless: float = 0.0
    greedy: float = 0.0
    holds_paper: float = 1.0
    unsure: float = 0.0
    fraud_reports: float = 0.0
    mistypes: float = 0.0
    takes_for_own: float = 0.0
    delay_median_days: float = 1.0
    delay_spread: float = 1.5
    """Half of the answers come within median x spread and median / spread."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant, by name."""
        for told in fields(self):
            value = getattr(self, told.name)
            if told.name == "name":
                continue
            number = isinstance(value, int | float) and not isinstance(value, bool)
            least, most = {"delay_median_days": (0.0, 365.0), "delay_spread": (1.0, 100.0)}.get(told.name, (0.0, 1.0))
            if not number or not least <= value <= most:
                message = f"behaviour: expected '{told.name}' from {least:g} to {most:g}, found another value; mend it."
                raise BehaviourError(message)


BEHAVIOURS: Mapping[str, Behaviour] = {
    told.name: told
    for told in (
        Behaviour("truthful"),
        Behaviour("careless_1_percent", careless=0.01),
        Behaviour("greedy_without_paper", greedy=1.0),
        Behaviour(
            "mixed", replies=0.7, declines=0.05, careless=0.01, greedy=0.02, holds_paper=0.9, unsure=0.03,
            fraud_reports=0.002, mistypes=0.05, takes_for_own=0.5, delay_median_days=3.0, delay_spread=3.0,
        ),
    )
}  # fmt: skip
"""Named worlds. The shares of `mixed` are assumptions, made to be harder than a pilot should be."""


def behaviour(told: str) -> Behaviour:
    """A named behaviour, or that of a TOML file with the fields of `Behaviour`."""
    if told in BEHAVIOURS:
        return BEHAVIOURS[told]
    path = Path(told)
    try:
        found: dict[str, Any] = {"name": path.stem, **tomllib.loads(path.read_text(encoding="utf-8"))}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        names = ", ".join(BEHAVIOURS)
        message = f"{path.name}: expected {names} or a TOML file, found neither; mend the option."
        raise BehaviourError(message) from None
    if unknown := found.keys() - {told.name for told in fields(Behaviour)}:
        message = f"{path.name}: expected fields of a behaviour, found '{min(unknown)}'; see quychu/citizens.py."
        raise BehaviourError(message)
    return Behaviour(**found)


@dataclass(frozen=True)
class Shown:
    """One item as the app shows it; `length` is 0 where no number is asked for."""

    item_id: str
    challenge: str = "none"
    length: int = 0


@dataclass(frozen=True)
class Said:
    """What the citizen taps and types for one item."""

    item_id: str
    verdict: Verdict
    challenge_response: str | None = None


@dataclass(frozen=True)
class Reply:
    """One reply to one attempt; `declined` has no answers."""

    delay_seconds: int
    answers: tuple[Said, ...] = ()
    declined: bool = False


@dataclass(frozen=True)
class Temper:
    """How one citizen is; the same in every question and attempt."""

    replies: bool
    declines: bool
    careless: bool
    greedy: bool
    holds_paper: bool
    delay_seconds: int


def paper_number(written: str | None) -> str | None:
    """The number as printed on the paper, from what the register holds of it; None where it holds none."""
    text = unicodedata.normalize("NFC", written or "").upper().replace("SỐ", "")
    bare = "".join(sign for sign in text if sign.isalnum())
    letters = len(bare) - len(bare.lstrip("ABCDĐEGHIKLMNPQRSTUVXY"))
    head, digits = bare[: min(letters, 2)], bare[min(letters, 2) :]
    return head + digits.replace("O", "0").replace("I", "1").replace("L", "1") or None


@dataclass(frozen=True)
class Citizens:
    """Everybody who may be asked: who owns which place, and who holds which paper.

    `place_of`: item → place; `owner_of`: place → true citizen; `number_of`: line → printed number; `papers_of`:
    citizen → lines that truly name them.
    """

    behaviour: Behaviour
    place_of: Mapping[str, Place]
    owner_of: Mapping[Place, str]
    number_of: Mapping[str, str]
    papers_of: Mapping[str, Sequence[str]]
    seed: int = 1

    @classmethod
    def open(
        cls, truth: Path | pl.DataFrame, owners: Path | pl.DataFrame, items: Path | pl.DataFrame,
        behaviour: Behaviour = BEHAVIOURS["truthful"], *, seed: int = 1,
    ) -> Citizens:  # fmt: skip
        """The citizens of a generated world: `truth.parquet`, the owner lines, and the run's `items.parquet`."""
        known = _table(truth).filter(pl.col("citizen_id").is_not_null())
        lines = _table(owners).select("owner_record_id", "certificate_serial").drop_nulls()
        places = _table(items).select("item_id", "owner_record_id", "role_on_line")
        named = known.group_by("citizen_id", maintain_order=True).agg(
            pl.col("owner_record_id").unique(maintain_order=True)
        )
        numbers = {line: paper_number(text) for line, text in lines.iter_rows()}
        return cls(
            behaviour,
            {item: (line, role) for item, line, role in places.iter_rows()},
            {
                (line, role): who
                for line, role, who in known.select("owner_record_id", "role", "citizen_id").iter_rows()
            },
            {line: number for line, number in numbers.items() if number},
            dict(named.iter_rows()),
            seed,
        )

    def temper(self, citizen_id: str) -> Temper:
        """How this citizen is."""
        told, draw = self.behaviour, self._draw("temper", citizen_id)
        replies, declines, careless, greedy, paper = (draw.random() for _ in range(5))
        spread = log(told.delay_spread) / 0.6745  # the quartiles of a normal stand there
        days = told.delay_median_days * exp(spread * draw.gauss(0.0, 1.0))
        return Temper(
            replies=replies < told.replies,
            declines=declines < told.declines,
            careless=careless < told.careless,
            greedy=greedy < told.greedy,
            holds_paper=paper < told.holds_paper,
            delay_seconds=int(min(days, _LONGEST_DELAY_DAYS) * DAY_SECONDS),
        )

    def reply(self, citizen_id: str, shown: Iterable[Shown], *, attempt: int = 1) -> Reply | None:
        """What this citizen does with a request; None from one who never answers."""
        temper = self.temper(citizen_id)
        if not temper.replies:
            return None
        delay = temper.delay_seconds if attempt == 1 else 60 * attempt
        if temper.declines:
            return Reply(delay, declined=True)
        return Reply(delay, tuple(self.say(citizen_id, item, attempt=attempt) for item in shown))

    def say(self, citizen_id: str, shown: Shown, *, attempt: int = 1) -> Said:
        """What this citizen says about one item."""
        temper, draw = self.temper(citizen_id), self._draw("item", citizen_id, shown.item_id)
        place = self.place_of.get(shown.item_id)
        verdict = self._verdict(citizen_id, place, temper, draw)
        if verdict != "mine" or shown.challenge == "none":
            return Said(shown.item_id, verdict)
        again = self._draw("number", citizen_id, shown.item_id, str(attempt))
        return Said(shown.item_id, verdict, self._typed(citizen_id, place, temper, again, shown.length))

    def _verdict(self, citizen_id: str, place: Place | None, temper: Temper, draw: random.Random) -> Verdict:
        unsure, fraud, own = draw.random(), draw.random(), draw.random()
        if temper.greedy or temper.careless:
            return "mine"
        if unsure < self.behaviour.unsure:
            return "unsure"
        if place is not None and self.owner_of.get(place) == citizen_id:
            return "mine"
        if place is not None and self._is_on(citizen_id, place[0]) and own < self.behaviour.takes_for_own:
            return "mine"
        return "suspected_fraud" if fraud < self.behaviour.fraud_reports else "not_mine"

    def _typed(
        self, citizen_id: str, place: Place | None, temper: Temper, draw: random.Random, length: int
    ) -> str | None:
        """The last characters of the number, as this citizen types them; None from one who has no paper at hand."""
        if temper.greedy:
            return _guess(draw, length)
        if not temper.holds_paper:
            return None
        number = self._number(citizen_id, place) or (self._any_number(citizen_id) if temper.careless else None)
        if number is None:
            return _guess(draw, length) if temper.careless else None
        typed = number[-length:]
        return _with_a_slip(draw, typed) if draw.random() < self.behaviour.mistypes else typed

    def _number(self, citizen_id: str, place: Place | None) -> str | None:
        """The number of the line's own paper, in the hands of whoever is truly named there."""
        if place is None or not self._is_on(citizen_id, place[0]):
            return None
        return self.number_of.get(place[0])

    def _any_number(self, citizen_id: str) -> str | None:
        found = (self.number_of.get(line) for line in self.papers_of.get(citizen_id, ()))
        return next((number for number in found if number), None)

    def _is_on(self, citizen_id: str, line: str) -> bool:
        return line in self.papers_of.get(citizen_id, ())

    def _draw(self, *about: str) -> random.Random:
        """A generator of its own for one matter of one citizen: the order of asking changes nobody's answer."""
        text = "\x1f".join((str(self.seed), *about)).encode()
        return random.Random(int.from_bytes(blake2b(text, digest_size=8).digest(), "big"))  # noqa: S311 - invented people


def _table(given: Path | pl.DataFrame) -> pl.DataFrame:
    return given if isinstance(given, pl.DataFrame) else pl.read_parquet(given)


def _guess(draw: random.Random, length: int) -> str:
    return "".join(draw.choice("0123456789") for _ in range(length))


def _with_a_slip(draw: random.Random, typed: str) -> str:
    place = draw.randrange(len(typed))
    wrong = draw.choice([digit for digit in "0123456789" if digit != typed[place]])
    return typed[:place] + wrong + typed[place + 1 :]
