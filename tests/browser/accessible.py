"""Accessibility as a browser computes it: names, contrast, sizes, order; our own checker (accessible.js), in the page.

Rules (WCAG 2.2 AA, and the brief of the app)
- Every field, link, button and picture has a name; every id that a label or a description points to is there, once.
- Text stands out from its background by 4.5:1, whatever its size; the edge of a field by 3:1.
- Text is at least 16 px; what is touched is at least 44 px high, links inside a sentence excepted.
- The page has a language, one h1, headings without a gap, one main, a title; radio buttons stand in a fieldset with a
  legend; nothing is wider than the window.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

CHECK = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


def faults_of(page: Any) -> list[str]:
    """What is wrong with the page as it is shown now."""
    found: list[str] = page.evaluate(CHECK)
    return found
