"""What binds each box to its row: a box that was moved to another row does not open.

>>> item(7, "a"), reply(3), revision(3, 1_764_000_000)
('items/7/a/box', 'replies/3/box', 'revisions/3/1764000000/box')
"""

from __future__ import annotations


def item(question_no: int, item_id: str) -> str:
    """Of a parcel as posted."""
    return f"items/{question_no}/{item_id}/box"


def reply(attempt_no: int) -> str:
    """Of a citizen's reply: its `answers`."""
    return f"replies/{attempt_no}/box"


def revision(attempt_no: int, answered_at: int) -> str:
    """Of a reply taken back: its `answers`."""
    return f"revisions/{attempt_no}/{answered_at}/box"


def declaration(declaration_id: str) -> str:
    """Of a declaration: its payload."""
    return f"declarations/{declaration_id}/box"
