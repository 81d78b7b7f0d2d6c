"""Every refusal of the engine, as one clear sentence.

Rules
- A message says what was expected, what was found and what to do. It names file, row and column.
- A message never holds the value of a personal field (name, number, birth, address).
- `code` is stable: scripts may test for it.

The tree
    LinkageError
    ├── InputError            a file, a row or a column is not what it should be
    │   ├── UnreadableFileError   not there, truncated, encrypted, not what its name claims
    │   ├── MissingColumnError    a required column cannot be found
    │   └── DuplicateIdError      an id that must be unique is null or stands twice throughout
    ├── ConfigError           a config file or an option is wrong
    ├── ModelError            a model file cannot be used here
    │   └── NotConvergedError     training ended before its estimates settled
    └── RunFolderError        an output folder belongs to another run

>>> str(MissingColumnError("owners.csv", "owner_name", ["id", "ten"]))
"owners.csv: expected a column 'owner_name', found 'id', 'ten'; rename it or map it in [sources.owners.columns]."
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

_VALUE = re.compile(r"\d{6}|\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}|\b(?:19|20)\d{2}\b")
"""What no header holds: long numbers, dates, years."""


class LinkageError(Exception):
    """Root of all refusals; `str(error)` is the one sentence shown to the user."""

    code = "linkage"

    def __reduce__(self) -> tuple[Callable[..., LinkageError], tuple[type[LinkageError], str]]:
        """An error crosses to another process as its kind and its sentence."""
        return _again, (type(self), str(self))


def _again(kind: type[LinkageError], sentence: str) -> LinkageError:
    error = kind.__new__(kind)
    Exception.__init__(error, sentence)
    return error


class InputError(LinkageError):
    """Bad input: the command exits with 1."""

    code = "input"


class UnreadableFileError(InputError):
    """A file is absent, truncated, encrypted or of another kind than its name claims."""

    code = "unreadable-file"

    def __init__(self, file: str, found: str, do: str) -> None:
        super().__init__(f"{file}: {found}; {do}.")


class MissingColumnError(InputError):
    """A required column cannot be found under its own name or a mapped one."""

    code = "missing-column"

    def __init__(self, file: str, column: str, found: Iterable[str], section: str = "sources.owners.columns") -> None:
        names = list(found)[:60]
        listed = ", ".join(f"'{name}'" for name in names) or "no columns"
        if any(_VALUE.search(name) for name in names):  # a file without a header: its first row is somebody's data
            listed = "values in the first row instead of headers (not shown here)"
        super().__init__(f"{file}: expected a column '{column}', found {listed}; rename it or map it in [{section}].")


class DuplicateIdError(InputError):
    """Ids that must tell rows apart do not."""

    code = "duplicate-id"


class ConfigError(LinkageError):
    """A config file or an option is wrong."""

    code = "config"


class ModelError(LinkageError):
    """A model file cannot be used for this run."""

    code = "model"


class NotConvergedError(ModelError):
    """Training ended before its estimates settled."""

    code = "not-converged"


class RunFolderError(LinkageError):
    """An output folder belongs to another run."""

    code = "run-folder"
