"""What a use case gives to the reception: the payload of the answer, and what its leaves say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class UseCaseAnswer:
    """The payload of the sealed answer, the citizens that request and answer name, the subject of the leaves."""

    content: dict[str, Any]
    handles: tuple[str, ...] = ()
    question_id: str | None = None
    outcome: Literal["accepted", "duplicate"] = "accepted"
