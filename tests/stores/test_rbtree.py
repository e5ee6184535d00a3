"""zsim.stores.rbtree: red-black trees as Linux builds them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zsim.stores.rbtree import Node, RbTree


def shape(node: Node[int] | None) -> str:
    """A tree as text: "(left key right)", red keys with a mark, "." for nothing."""
    if node is None:
        return "."
    return f"({shape(node.child[0])} {node.key}{'r' * node.red} {shape(node.child[1])})"


def grown(keys: list[int]) -> RbTree[int]:
    """A tree of keys inserted in order, each its own value."""
    tree: RbTree[int] = RbTree()
    for key in keys:
        tree.insert(key, key)
    return tree


def test_insertion_in_order() -> None:
    """1 to 8 ascending, by hand: two rotations and three recolourings."""
    assert shape(grown([1, 2, 3]).root) == "((. 1r .) 2 (. 3r .))"
    assert shape(grown([1, 2, 3, 4, 5]).root) == "((. 1 .) 2 ((. 3r .) 4 (. 5r .)))"
    assert shape(grown(list(range(1, 9))).root) == "(((. 1 .) 2r (. 3 .)) 4 ((. 5 .) 6r (. 7 (. 8r .))))"


def test_insertion_inside() -> None:
    """A key between a red parent and its parent turns twice, on either side."""
    assert shape(grown([3, 1, 2]).root) == "((. 1r .) 2 (. 3r .))"
    assert shape(grown([1, 3, 2]).root) == "((. 1r .) 2 (. 3r .))"


def test_erasure_takes_the_next_key() -> None:
    """A node with two children is replaced by the smallest key on its right, as rb_erase does."""
    tree = grown([4, 2, 6, 5, 7])
    tree.erase(4)
    assert shape(tree.root) == "((. 2 .) 5 (. 6 (. 7r .)))"


def test_erasure_with_a_red_sibling() -> None:
    """1 of 1 to 8: its black sibling 3 turns red, for the parent is red."""
    tree = grown(list(range(1, 9)))
    tree.erase(1)
    assert shape(tree.root) == "((. 2 (. 3r .)) 4 ((. 5 .) 6r (. 7 (. 8r .))))"
    tree.erase(3)
    tree.erase(2)
    assert shape(tree.root) == "((. 4 (. 5r .)) 6 (. 7 (. 8r .)))"


def test_steps_are_nodes_compared() -> None:
    """The root in one step, 8 in four, what is not there after the last node on the way."""
    tree = grown(list(range(1, 9)))
    assert [tree.find(key) for key in (4, 6, 7, 8, 9, 0)] == [(4, 1), (6, 2), (7, 3), (8, 4), (None, 4), (None, 3)]


def test_a_key_that_is_not_there() -> None:
    """Cannot be erased."""
    with pytest.raises(KeyError):
        grown([1, 2]).erase(3)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 40))))
def test_against_a_dict(steps: list[tuple[bool, int]]) -> None:
    """Whatever is inserted and erased, the tree stays one, in order, and at most 2 log2(n + 1) deep."""
    tree: RbTree[int] = RbTree()
    expected: dict[int, int] = {}
    for number, (add, key) in enumerate(steps):
        if key in expected:
            if not add:
                tree.erase(key)
                del expected[key]
        elif add:
            tree.insert(key, number)
            expected[key] = number
        tree.validate()
        assert dict(tree.items()) == expected
    for key, value in expected.items():
        found, depth = tree.find(key)
        assert found == value and 2 ** (depth / 2) <= len(expected) + 1
