"""Transcendent memory: hash tables of red-black trees of radix trees of pages (drivers/staging/zcache/tmem.c).

Sizes of structures are those of tmem.h of 3.10 on a 64-bit machine, without its debugging sentinels. Left out: locks,
shared pools (a get on a shared ephemeral pool is not exclusive), ramster's remote pages.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from zsim.stores.rbtree import RbTree

Page = TypeVar("Page")
Key = tuple[int, int]
"""(object id, index in the object). The kernel's 192-bit object ids have one word that is not 0, which this is."""

BUCKET_BITS = 8
MAP_SHIFT = 6
OBJ_BYTES = 88
"""struct tmem_obj: object id 24, pool 8, tree node 24, root 8, height 4 and 4 of padding, two counts 8 each."""
OBJNODE_BYTES = 528
"""struct tmem_objnode: object 8, 64 slots of 8, slots in use 4 and 4 of padding."""
POOL_BYTES = 48 + 256 * 16
"""struct tmem_pool: its head, and per bucket a tree's root and a lock."""
MAX_PATH_NODES = 64 // MAP_SHIFT + 2
"""OBJNODE_TREE_MAX_PATH: nodes that are kept at hand on each processor, for one put."""

_GOLDEN_RATIO_PRIME = 0x9E37FFFFFFFC0001  # GOLDEN_RATIO_PRIME_64 of include/linux/hash.h before 4.7


def bucket_of(oid: int) -> int:
    """tmem_oid_hash: the bucket an object id hashes to."""
    return (oid * _GOLDEN_RATIO_PRIME & (1 << 64) - 1) >> 64 - BUCKET_BITS


def frontswap_key(slot: int, swap_type: int = 0) -> Key:
    """oswiz and iswiz: neighbouring slots go to 256 different objects, which spread over the buckets."""
    return swap_type << 8 | slot & 0xFF, slot >> 8


class TmemObject(Generic[Page]):
    """An object's pages by index, in a tree of nodes with 64 slots each.

    `levels[0]` has the nodes that point to pages, `levels[-1]` the root: index of the node on its level -> slots in
    use. A lone page of index 0 needs no node. The tree is as high as the largest index needs, for it is cut when the
    root has nothing but its first slot.
    """

    __slots__ = ("levels", "pages")

    def __init__(self) -> None:
        self.pages: dict[int, Page] = {}
        self.levels: list[dict[int, int]] = []

    @property
    def nodes(self) -> int:
        """Nodes of the tree."""
        return sum(map(len, self.levels))

    def steps_to(self, index: int) -> int:
        """Nodes that a lookup of `index` visits: the height of the tree where it is there, less where it is not."""
        height = len(self.levels)
        if index in self.pages:
            return height
        if index >> MAP_SHIFT * height:
            return 0
        steps = 0
        while steps < height and index >> MAP_SHIFT * (height - steps) in self.levels[height - steps - 1]:
            steps += 1
        return steps

    def add(self, index: int, page: Page) -> None:
        """tmem_pampd_add_in_obj: make the tree higher where the index needs it, then the nodes on its path."""
        while index >> MAP_SHIFT * len(self.levels):
            self.levels.append({0: 1} if self.pages else {})
        self.pages[index] = page
        for level in self.levels:
            index >>= MAP_SHIFT
            level[index] = level.get(index, 0) + 1
            if level[index] > 1:
                break

    def remove(self, index: int) -> Page:
        """tmem_pampd_delete_from_obj: nodes that are empty go, then a root that has only its first slot."""
        page = self.pages.pop(index)
        for level in self.levels:
            index >>= MAP_SHIFT
            level[index] -= 1
            if level[index]:
                break
            del level[index]
        while self.levels and self._root_is_needless():
            self.levels.pop()
        return page

    def _root_is_needless(self) -> bool:
        """Whether the root is empty, or has its first slot alone and that leads somewhere."""
        below = self.levels[-2] if len(self.levels) > 1 else self.pages
        return not self.levels[-1] or (self.levels[-1] == {0: 1} and 0 in below)

    def validate(self) -> None:
        """The tree has the nodes that its indexes need and no others, and is as high as the largest needs."""
        height = -(-max(self.pages).bit_length() // MAP_SHIFT)
        assert height == len(self.levels)
        children = set(self.pages)
        for level in self.levels:
            assert level == Counter(index >> MAP_SHIFT for index in children)
            children = set(level)


class TmemPool(Generic[Page]):
    """One pool: 256 hash buckets of red-black trees of objects.

    exclusive  a get takes the page out: of ephemeral (private) pools always, of persistent ones by configuration
    free       told of every page that leaves the pool
    `lookups` counts puts, gets and flushes of a page, `lookup_steps` the tree nodes they met on the way to their page:
    objects compared, and nodes of the object's tree.
    """

    def __init__(self, exclusive: bool, free: Callable[[Page], None]) -> None:
        self.exclusive = exclusive
        self._free = free
        self._buckets: list[RbTree[TmemObject[Page]]] = [RbTree() for _ in range(1 << BUCKET_BITS)]
        self.objects = 0
        self.nodes = 0
        self.pages = 0
        self.lookups = 0
        self.lookup_steps = 0

    @property
    def slab_bytes(self) -> int:
        """What objects and nodes take now."""
        return self.objects * OBJ_BYTES + self.nodes * OBJNODE_BYTES

    def put(self, key: Key, create: Callable[[], Page | None]) -> bool:
        """tmem_put: flush what was there, then keep what `create` makes; False: it made nothing, the key is absent."""
        self.flush_page(key)
        page = create()
        if page is None:
            return False
        oid, index = key
        bucket = self._buckets[bucket_of(oid)]
        found, _ = bucket.find(oid)
        if found is None:
            found = TmemObject()
            bucket.insert(oid, found)
            self.objects += 1
        before = found.nodes
        found.add(index, page)
        self.nodes += found.nodes - before
        self.pages += 1
        return True

    def get(self, key: Key) -> Page | None:
        """tmem_get: the page, or None; where gets are exclusive it is gone then."""
        found, page = self._look_up(key)
        if found is not None and page is not None and self.exclusive:
            self._remove(found, key)
        return page

    def peek(self, key: Key) -> Page | None:
        """The page of a key, without counting: nothing the kernel does."""
        found, _ = self._buckets[bucket_of(key[0])].find(key[0])
        return None if found is None else found.pages.get(key[1])

    def flush_page(self, key: Key) -> bool:
        """tmem_flush_page: forget a page; whether there was one."""
        found, page = self._look_up(key)
        if found is None or page is None:
            return False
        self._remove(found, key)
        return True

    def flush_object(self, oid: int) -> int:
        """tmem_flush_object: forget all pages of an object; how many."""
        found, _ = self._buckets[bucket_of(oid)].find(oid)
        indexes = [] if found is None else list(found.pages)
        for index in indexes:
            assert found is not None
            self._remove(found, (oid, index))
        return len(indexes)

    def flush_pool(self) -> int:
        """tmem_destroy_pool: forget everything; how many pages that was."""
        return sum(self.flush_object(oid) for bucket in self._buckets for oid, _ in list(bucket.items()))

    def _look_up(self, key: Key) -> tuple[TmemObject[Page] | None, Page | None]:
        oid, index = key
        found, steps = self._buckets[bucket_of(oid)].find(oid)
        self.lookups += 1
        self.lookup_steps += steps
        if found is None:
            return None, None
        self.lookup_steps += found.steps_to(index)
        return found, found.pages.get(index)

    def _remove(self, found: TmemObject[Page], key: Key) -> None:
        """Take a page out of its object, and an object without pages out of its tree."""
        before = found.nodes
        page = found.remove(key[1])
        self.nodes += found.nodes - before
        self.pages -= 1
        if not found.pages:
            self._buckets[bucket_of(key[0])].erase(key[0])
            self.objects -= 1
        self._free(page)

    def items(self) -> Iterator[tuple[Key, Page]]:
        """Every page with its key."""
        for bucket in self._buckets:
            for oid, found in bucket.items():
                for index, page in found.pages.items():
                    yield (oid, index), page

    def validate(self) -> None:
        """Recount objects, nodes and pages; every tree is one, and every object is where its id hashes to."""
        objects = [(number, oid, found) for number, tree in enumerate(self._buckets) for oid, found in tree.items()]
        for number, oid, found in objects:
            assert bucket_of(oid) == number and found.pages
            found.validate()
        for bucket in self._buckets:
            bucket.validate()
        assert self.objects == len(objects)
        assert self.nodes == sum(found.nodes for _, _, found in objects)
        assert self.pages == sum(len(found.pages) for _, _, found in objects)
