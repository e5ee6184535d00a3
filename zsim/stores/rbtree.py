"""A red-black tree as Linux builds it (lib/rbtree.c): the depth of every key is the kernel's after the same history."""

from collections.abc import Iterator
from typing import Generic, TypeVar

Value = TypeVar("Value")
LEFT, RIGHT = 0, 1


class Node(Generic[Value]):
    """A key with its value; `child` is [left, right], a missing one counts as black."""

    __slots__ = ("child", "key", "parent", "red", "value")

    def __init__(self, key: int, value: Value, parent: "Node[Value] | None") -> None:
        self.key = key
        self.value = value
        self.parent = parent
        self.child: list[Node[Value] | None] = [None, None]
        self.red = True


class RbTree(Generic[Value]):
    """Integers in order, with a value each.

    Insertion and erasure rebalance case by case as Linux (and Cormen et al.) do; a node with two children is replaced
    by the smallest on its right. Other variants are as balanced but not of the same shape.
    """

    __slots__ = ("root",)

    def __init__(self) -> None:
        self.root: Node[Value] | None = None

    def find(self, key: int) -> tuple[Value | None, int]:
        """The value of a key (None: not there) and the nodes that were compared."""
        node, steps = self.root, 0
        while node is not None:
            steps += 1
            if node.key == key:
                return node.value, steps
            node = node.child[key > node.key]
        return None, steps

    def insert(self, key: int, value: Value) -> None:
        """Add a key that is not there."""
        parent, node = None, self.root
        while node is not None:
            parent, node = node, node.child[key > node.key]
        new = Node(key, value, parent)
        if parent is None:
            self.root = new
        else:
            parent.child[key > parent.key] = new
        self._after_insert(new)

    def erase(self, key: int) -> None:
        """Take out a key; a `KeyError` where it is not there."""
        node = self.root
        while node is not None and node.key != key:
            node = node.child[key > node.key]
        if node is None:
            raise KeyError(key)
        heir = node.child[RIGHT]
        if node.child[LEFT] is not None and heir is not None:
            while (smaller := heir.child[LEFT]) is not None:
                heir = smaller
            node.key, node.value = heir.key, heir.value
            node = heir
        self._unlink(node)

    def items(self) -> Iterator[tuple[int, Value]]:
        """(key, value) in ascending order."""
        stack: list[Node[Value]] = []
        node = self.root
        while stack or node is not None:
            while node is not None:
                stack.append(node)
                node = node.child[LEFT]
            node = stack.pop()
            yield node.key, node.value
            node = node.child[RIGHT]

    def _unlink(self, node: Node[Value]) -> None:
        """Take out a node with at most one child."""
        parent = node.parent
        only = node.child[LEFT] or node.child[RIGHT]
        side = int(parent is not None and parent.child[RIGHT] is node)
        self._replace(node, only)
        if only is not None:
            only.red = False
        elif not node.red and parent is not None:
            self._after_erase(parent, side)

    def _replace(self, node: Node[Value], by: Node[Value] | None) -> None:
        """Put a subtree where another one hangs."""
        parent = node.parent
        if parent is None:
            self.root = by
        else:
            parent.child[parent.child[RIGHT] is node] = by
        if by is not None:
            by.parent = parent

    def _rotate(self, node: Node[Value], side: int) -> None:
        """Turn a node down to `side`; its child on the other side takes its place."""
        up = node.child[1 - side]
        assert up is not None
        inner = up.child[side]
        self._replace(node, up)
        node.child[1 - side], up.child[side] = inner, node
        node.parent = up
        if inner is not None:
            inner.parent = node

    def _after_insert(self, node: Node[Value]) -> None:
        """No red node may have a red parent (__rb_insert)."""
        while (parent := node.parent) is not None and parent.red:
            grand = parent.parent
            assert grand is not None
            side = int(grand.child[RIGHT] is parent)
            uncle = grand.child[1 - side]
            if uncle is not None and uncle.red:
                parent.red = uncle.red = False
                grand.red = True
                node = grand
                continue
            if parent.child[1 - side] is node:
                self._rotate(parent, side)
                parent = node
            parent.red, grand.red = False, True
            self._rotate(grand, 1 - side)
            break
        if self.root is not None:
            self.root.red = False

    def _after_erase(self, parent: Node[Value], side: int) -> None:
        """The paths through `side` of `parent` lack a black node (____rb_erase_color)."""
        while True:
            sibling = self._black_sibling(parent, side)
            near, far = sibling.child[side], sibling.child[1 - side]
            if (near is None or not near.red) and (far is None or not far.red):
                sibling.red = True
                above = parent.parent
                if parent.red or above is None:
                    parent.red = False
                    return
                side = int(above.child[RIGHT] is parent)
                parent = above
                continue
            if far is None or not far.red:
                assert near is not None
                near.red, sibling.red = False, True
                self._rotate(sibling, 1 - side)
                sibling, far = near, sibling
            sibling.red, parent.red, far.red = parent.red, False, False
            self._rotate(parent, side)
            return

    def _black_sibling(self, parent: Node[Value], side: int) -> Node[Value]:
        sibling = parent.child[1 - side]
        assert sibling is not None
        if sibling.red:
            parent.red, sibling.red = True, False
            self._rotate(parent, side)
            sibling = parent.child[1 - side]
            assert sibling is not None
        return sibling

    def validate(self) -> None:
        """Keys ascend, links agree, no red node has a red child, every path has as many black nodes."""
        keys = [key for key, _ in self.items()]
        assert all(key < after for key, after in zip(keys, keys[1:], strict=False))
        assert self.root is None or (not self.root.red and self.root.parent is None)
        _black_height(self.root)


def _black_height(node: Node[Value] | None) -> int:
    if node is None:
        return 0
    heights = []
    for child in node.child:
        assert child is None or (child.parent is node and not (node.red and child.red))
        heights.append(_black_height(child))
    assert heights[LEFT] == heights[RIGHT]
    return heights[LEFT] + (not node.red)
