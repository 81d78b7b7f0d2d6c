"""Similarity as SQL conditions on folded text, cheap tests first.

Rules
- DuckDB counts bytes, so only folded (ASCII) columns may stand here.
- A costly distance stands behind a cheap necessary condition: Damerau-Levenshtein costs thirty times Jaro-Winkler.
"""

from __future__ import annotations


def close(column: str, threshold: float) -> str:
    """Jaro-Winkler of at least `threshold` (0 to 1)."""
    return f"jaro_winkler_similarity({column}_l, {column}_r) >= {threshold}"


def one_slip(column: str) -> str:
    """One digit wrong, missing, added, or two neighbours swapped."""
    return (
        f"abs(length({column}_l) - length({column}_r)) <= 1 "
        f"and jaro_similarity({column}_l, {column}_r) >= 0.85 "
        f"and damerau_levenshtein({column}_l, {column}_r) <= 1"
    )


def edits(column: str, at_most: int, *, swaps: bool = False) -> str:
    """At most so many letters changed, added or lost; with `swaps`, two neighbours swapped count as one change."""
    distance = "damerau_levenshtein" if swaps else "levenshtein"
    return (
        f"abs(length({column}_l) - length({column}_r)) <= {at_most} and {distance}({column}_l, {column}_r) <= {at_most}"
    )


def crossed(first: str, second: str) -> str:
    """One side's `first` stands in the other side's `second`."""
    return f"{first}_l = {second}_r or {second}_l = {first}_r"


def word_of(column: str, words: str) -> str:
    """One side's value is among the other side's list of words."""
    return f"list_contains({words}_r, {column}_l) or list_contains({words}_l, {column}_r)"


def shared(words: str, at_least: int) -> str:
    """The two lists share so many values."""
    return f"len(list_intersect({words}_l, {words}_r)) >= {at_least}"


def begins(column: str) -> str:
    """One value begins with the other."""
    return f"starts_with({column}_l, {column}_r) or starts_with({column}_r, {column}_l)"


def within(column: str, at_most: float) -> str:
    """Two numbers at most so far apart."""
    return f"abs({column}_l - {column}_r) <= {at_most!r}"


def word_dropped(name: str) -> str:
    """Surname or given name stay, and all words of one name stand in the other."""
    words = f"{name}_words"
    return (
        f"list_extract({words}_l, -1) = list_extract({words}_r, -1) "
        f"and len({words}_l) <> len({words}_r) "
        f"and (list_has_all({words}_l, {words}_r) or list_has_all({words}_r, {words}_l))"
    )


def near_year(column: str) -> str:
    """Two or three years apart, a slip of ten, or the last two digits swapped."""
    left, right = f"{column}_l", f"{column}_r"
    return (
        f"abs({left} - {right}) in (2, 3, 10) "
        f"or ({left} // 100 = {right} // 100 and {left} % 10 = ({right} // 10) % 10 "
        f"and ({left} // 10) % 10 = {right} % 10)"
    )
