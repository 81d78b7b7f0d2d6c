"""The tree against the values that the Certificate Transparency reference tests publish, and against its own rules."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confirm_api.audit import merkle as m

# certificate-transparency reference implementation, merkletree_test: the leaves and the roots of sizes 1 to 8
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PATHS = {  # (leaf numbered from 1, size): of the same tests
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (3, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (2, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
PROOFS = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
HASHES = [m.leaf_hash(leaf) for leaf in LEAVES]
NODES = m.nodes_of(HASHES)


def test_the_empty_tree_has_the_hash_of_nothing():
    assert m.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", range(1, 9))
def test_the_published_roots(size):
    assert m.root(HASHES[:size]).hex() == ROOTS[size - 1]


@pytest.mark.parametrize(("place", "path"), PATHS.items())
def test_the_published_inclusion_paths(place, path):
    assert [value.hex() for value in m.inclusion_path(place[0] - 1, place[1], NODES)] == path


@pytest.mark.parametrize(("sizes", "proof"), PROOFS.items())
def test_the_published_consistency_proofs(sizes, proof):
    assert [value.hex() for value in m.consistency_path(*sizes, NODES)] == proof


def naive_root(hashes):
    """RFC 6962 §2.1, word for word."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return m.node_hash(naive_root(hashes[:k]), naive_root(hashes[k:]))


def hashes_of(size):
    return [m.leaf_hash(str(index).encode()) for index in range(size)]


@given(st.integers(0, 300))
def test_the_root_is_the_recursive_definition(size):
    assert m.root(hashes_of(size)) == naive_root(hashes_of(size))


@given(st.integers(0, 150), st.integers(0, 150))
def test_a_tree_grown_in_two_steps_is_the_tree_grown_in_one(first, more):
    hashes = hashes_of(first + more)
    nodes = {(level, place): value for level, place, value in m.extend(0, None, hashes[:first])}
    fresh = list(m.extend(first, lambda level, place: nodes[level, place], hashes[first:]))
    assert not nodes.keys() & {node[:2] for node in fresh}, "nothing stored ever changes"
    nodes |= {(level, place): value for level, place, value in fresh}
    assert m.root_of(first + more, lambda level, place: nodes[level, place]) == m.root(hashes)


@given(st.data(), st.integers(1, 200))
def test_every_leaf_is_proven_in_its_place_and_nowhere_else(data, size):
    index, other = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size - 1))
    hashes = hashes_of(size)
    path, root = m.inclusion_path(index, size, m.nodes_of(hashes)), m.root(hashes)
    assert m.verify_inclusion(hashes[index], index, size, path, root)
    assert m.verify_inclusion(hashes[other], other, size, path, root) == (other == index)
    assert not m.verify_inclusion(hashes[index], index, size, [*path, path[-1] if path else root], root)
    assert not path or not m.verify_inclusion(hashes[index], index, size, path[:-1], root)
    assert not m.verify_inclusion(m.leaf_hash(b"forged"), index, size, path, root)


@given(st.data(), st.integers(1, 200))
def test_every_older_tree_is_shown_to_be_the_beginning(data, second):
    first = data.draw(st.integers(1, second))
    hashes = hashes_of(second)
    path = m.consistency_path(first, second, m.nodes_of(hashes))
    old, new = m.root(hashes[:first]), m.root(hashes)
    assert m.verify_consistency(first, second, path, old, new)
    assert not m.verify_consistency(first, second, [*path, new], old, new)
    if first < second:
        forged = m.root([*hashes[: first - 1], m.leaf_hash(b"forged")])
        assert not m.verify_consistency(first, second, path, forged, new)
        assert not m.verify_consistency(first, second, path[:-1], old, new)
        assert not m.verify_consistency(first, second, path, old, old)
        assert not m.verify_consistency(second, first, path, new, old)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_a_leaf_outside_the_tree_has_no_path_and_no_proof(index, size):
    with pytest.raises(ValueError, match="no leaf"):
        m.inclusion_path(index, size, NODES)
    assert not m.verify_inclusion(HASHES[0], index, size, [], HASHES[0])


@pytest.mark.parametrize(("first", "second"), [(0, 3), (4, 3), (-1, 3)])
def test_sizes_that_do_not_grow_have_no_consistency(first, second):
    with pytest.raises(ValueError, match="sizes"):
        m.consistency_path(first, second, NODES)


def test_a_leaf_cannot_pass_for_a_node():
    assert m.leaf_hash(HASHES[0] + HASHES[1]) != m.node_hash(HASHES[0], HASHES[1])
