"""One typing slip: a letter added, dropped, changed, or two neighbours swapped.

>>> one_slip_apart("nma", "nam"), one_slip_apart("nam", "nam"), one_slip_apart("na", "nu")
(True, False, True)
"""

from __future__ import annotations


def one_slip_apart(left: str, right: str) -> bool:
    """True for two different words that one slip turns into each other."""
    if left == right or abs(len(left) - len(right)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    rest_left, rest_right = left[start:], right[start:]
    swapped = rest_left[1::-1] + rest_left[2:] if len(rest_left) > 1 else rest_left
    return rest_right in (swapped, rest_left[1:]) or rest_left == rest_right[1:] or rest_left[1:] == rest_right[1:]
