"""From what a page knows to HTML: one environment of templates, a few words of format.

>>> moment(1_764_000_000), short("0123456789abcdef", 8)
('23:00 24/11/2025', '01234567…')
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from confirm_api.office import wording
from confirm_api.pages.office import Office

HERE: Final = Path(__file__).parent
VIETNAM: Final = timezone(timedelta(hours=7))


def moment(seconds: int) -> str:
    """A time as an officer reads it, in Vietnam's time."""
    return datetime.fromtimestamp(seconds, UTC).astimezone(VIETNAM).strftime("%H:%M %d/%m/%Y")


def short(text: str | None, letters: int) -> str:
    """The beginning of a long code."""
    return "" if text is None else text if len(text) <= letters else text[:letters] + "…"


def size(of: int) -> str:
    """A file's size.

    >>> size(3_400_000), size(12_000)
    ('3,4 MB', '12 KB')
    """
    return f"{of / 1e6:.1f} MB".replace(".", ",") if of >= 1_000_000 else f"{max(of // 1000, 1)} KB"


def _digest(file: Path) -> str:
    """Tells one version of a file from another."""
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"moment": moment, "short": short, "size": size, "age": wording.age}
    made.globals |= {"words": wording, "label": wording.label, "style": _digest(HERE / "static" / "can-bo.css")}
    return made


_TEMPLATES: Final = _environment()


def page(request: Request, template: str, *, status: int = 200, **told: Any) -> HTMLResponse:
    """Render a page; `session` is null before login."""
    office: Office = request.state.office
    known = {"base": office.base, "session": None, "flash": None, "incidents": 0, "current": "", **told}
    return HTMLResponse(_TEMPLATES.get_template(template).render(known), status_code=status)
