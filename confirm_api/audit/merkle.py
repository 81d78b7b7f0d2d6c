"""The Merkle tree of RFC 6962 as small pure functions, named after the RFC.

Rules
- A leaf is hashed with the prefix 0x00, an inner node with 0x01 (RFC 6962 §2.1), so neither passes for the other.
- A tree is known by its complete subtrees: `get_node(level, place)` gives the hash over the `2**level` leaves from
  `place * 2**level` on. Everything else is folded from those, so nothing stored ever changes when the tree grows.
- Paths and proofs are lists of hashes in the order of RFC 6962 §2.1.1 and §2.1.2; verification follows RFC 9162
  §2.1.3.2 and §2.1.4.2, which takes the proof alone and not the tree.

>>> hashes = [leaf_hash(leaf) for leaf in (b"a", b"b", b"c")]
>>> path = inclusion_path(1, 3, nodes_of(hashes))
>>> verify_inclusion(hashes[1], 1, 3, path, root(hashes))
True
>>> verify_inclusion(hashes[1], 0, 3, path, root(hashes))
False
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence

GetNode = Callable[[int, int], bytes]
"""`get_node(level, place)`: the hash of one complete subtree."""

Node = tuple[int, int, bytes]
"""Level, place, hash."""

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of one leaf: MTH({d(0)})."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaf_hashes: Sequence[bytes]) -> bytes:
    """The tree's root, MTH(D[n]), from the hashes of all its leaves."""
    return root_of(len(leaf_hashes), nodes_of(leaf_hashes))


def nodes_of(leaf_hashes: Sequence[bytes]) -> GetNode:
    """The complete subtrees of a tree held in memory."""
    nodes = {(level, place): value for level, place, value in extend(0, _no_node, leaf_hashes)}
    return lambda level, place: nodes[level, place]


def _no_node(level: int, place: int) -> bytes:
    raise LookupError(f"an empty tree has no node {level}/{place}")


def frontier(size: int) -> list[tuple[int, int]]:
    """The complete subtrees that a tree of this size is made of, from left to right.

    >>> frontier(6)
    [(2, 0), (1, 2)]
    """
    return [(level, (size >> level) - 1) for level in range(size.bit_length() - 1, -1, -1) if size >> level & 1]


def extend(size: int, get_node: GetNode, leaf_hashes: Iterable[bytes]) -> Iterator[Node]:
    """The complete subtrees that are new when these leaves follow the first `size` ones, each after its children."""
    edge = [(level, get_node(level, place)) for level, place in frontier(size)]
    for index, leaf in enumerate(leaf_hashes, size):
        edge.append((0, leaf))
        yield 0, index, leaf
        while len(edge) > 1 and edge[-1][0] == edge[-2][0]:
            level, right = edge.pop()
            _, left = edge.pop()
            edge.append((level + 1, node_hash(left, right)))
            yield level + 1, index >> (level + 1), edge[-1][1]


def root_of(size: int, get_node: GetNode) -> bytes:
    """The root over the first `size` leaves."""
    return _hash_of(0, size, get_node) if size else EMPTY_ROOT


def inclusion_path(index: int, size: int, get_node: GetNode) -> list[bytes]:
    """PATH(index, D[size]): the siblings from the leaf up to the child of the root."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    return _path(index, 0, size, get_node)


def consistency_path(first: int, second: int, get_node: GetNode) -> list[bytes]:
    """PROOF(first, D[second]): what shows that the larger tree begins with the smaller one."""
    if not 0 < first <= second:
        raise ValueError(f"sizes must be 0 < {first} <= {second}")
    return _subproof(first, 0, second, get_node, known=True)


def _path(index: int, start: int, end: int, get_node: GetNode) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + _split(end - start)
    if index < middle:
        return [*_path(index, start, middle, get_node), _hash_of(middle, end, get_node)]
    return [*_path(index, middle, end, get_node), _hash_of(start, middle, get_node)]


def _subproof(first: int, start: int, end: int, get_node: GetNode, *, known: bool) -> list[bytes]:
    """SUBPROOF(m, D[n], b): `known` is b, whether the smaller root is the subtree's own and need not be given."""
    if first == end:
        return [] if known else [_hash_of(start, end, get_node)]
    middle = start + _split(end - start)
    if first <= middle:
        return [*_subproof(first, start, middle, get_node, known=known), _hash_of(middle, end, get_node)]
    return [*_subproof(first, middle, end, get_node, known=False), _hash_of(start, middle, get_node)]


def _hash_of(start: int, end: int, get_node: GetNode) -> bytes:
    """MTH(D[start:end]); `start` is a multiple of the power of two that holds the range, as in every split above."""
    size = end - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return get_node(level, start >> level)
    middle = start + _split(size)
    return node_hash(_hash_of(start, middle, get_node), _hash_of(middle, end, get_node))


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected: bytes) -> bool:
    """Whether the leaf of this hash stands at `index` in the tree of this root (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and found == expected


def verify_consistency(first: int, second: int, path: Sequence[bytes], old: bytes, new: bytes) -> bool:
    """Whether the tree of root `new` begins with the whole tree of root `old` (RFC 9162 §2.1.4.2)."""
    if not 0 < first <= second:
        return False
    if first == second:
        return not path and old == new
    rest = [old, *path] if first & (first - 1) == 0 else list(path)
    return bool(rest) and bool(path) and _fold_both(first - 1, second - 1, rest) == (old, new)


def _fold_both(place: int, last: int, path: list[bytes]) -> tuple[bytes, bytes] | None:
    """The two roots that one proof leads to, or None where the proof has the wrong length."""
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return None
        if place & 1 or place == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        place, last = place >> 1, last >> 1
    return (old, new) if last == 0 else None
