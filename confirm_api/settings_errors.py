"""Says in one sentence what is wrong with a settings file: key, expected, found.

Rules
- What was found is told by its kind. Only numbers are repeated, and words where one of a short list is expected: a
  secret in the wrong place must not get into a log.
- An unknown key comes with those known in the same table.

>>> class Limits(BaseModel, extra="forbid", strict=True):
...     threads: int = 8
>>> def refused(content):
...     try:
...         Limits.model_validate(content)
...     except ValidationError as error:
...         return sentence(Limits, error.errors()[0])
>>> refused({"threads": "many"})
"key 'threads': expected a valid integer, found text"
>>> refused({"threds": 4})
"unknown key 'threds'; known there: threads"
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

__all__ = ["ValidationError", "sentence"]

Steps = Sequence[int | str]
_KINDS = {bool: "true or false", str: "text", dict: "a table", list: "a list"}
_WORDS = {
    "Input should be ": "",
    "String should ": "text that should ",
    "a valid boolean": "true or false",
    "a valid string": "text",
    "Input is not a valid path for <class 'pathlib.Path'>": "a path",
}


def sentence(root: type[BaseModel], error: ErrorDetails) -> str:
    """One of pydantic's findings about a file that `root` describes."""
    steps = [step for step in error["loc"] if not str(step).startswith("(")]
    key, kind = _key(steps), error["type"]
    if kind == "extra_forbidden":
        return f"unknown key '{key}'; known there: {', '.join(_known(root, steps[:-1]))}"
    if kind == "missing":
        return f"key '{key}' is missing"
    if kind == "value_error":
        return f"key '{key}': {error['ctx']['error']}" if key else str(error["ctx"]["error"])
    expected = "a table" if kind in {"model_type", "dict_type"} else _expected(error["msg"])
    return f"key '{key}': expected {expected}, found {_found(error['input'], shown=kind == 'literal_error')}"


def _key(steps: Steps) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.removeprefix(".")


def _known(root: type[BaseModel], steps: Steps) -> list[str]:
    """The keys of the table that `steps` lead to."""
    table = root
    for step in steps:
        if isinstance(step, str):
            table = _table_of(table.model_fields[step].annotation) or table
    return list(table.model_fields)


def _table_of(annotation: Any) -> type[BaseModel] | None:
    """The model in `Model`, `Model | None`, `str | Model`, `list[Model]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = [_table_of(part) for part in getattr(annotation, "__args__", ())]
    return next((table for table in inner if table is not None), None)


def _expected(message: str) -> str:
    for words, ours in _WORDS.items():
        message = message.replace(words, ours)
    return message


def _found(value: Any, *, shown: bool) -> str:
    """What stands there, by its kind; numbers and words from a list as they are."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if shown and isinstance(value, str) and len(value) <= 32:
        return f"'{value}'"
    return _KINDS.get(type(value), "a date or time")
