"""Generated alloc/free sequences: which sizes, and in what order they come and go. Seeded and repeatable."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import count, islice
from random import Random
from typing import TypeVar

from zsim.allocators.zsmalloc_classes import by_waste, class_table
from zsim.errors import UsageError
from zsim.pack.sequence import Row
from zsim.registry import suggestion
from zsim.units import PAGE_SIZE

Draw = Callable[[], int]
"""The compressed size of the next page, in bytes."""

Step = tuple[str, int, int]
"""op, id, size."""

Kind = TypeVar("Kind")

CODECS = ("lz4", "lzo", "lzo-rle", "zstd", "lz4hc", "deflate")
KERNEL = "6.1"
JUST_OVER_HALF_BYTES = PAGE_SIZE // 2 + 1
HANDLE_BYTES = 8
FEW_BYTES = (560, 1200, 1950, 2700)


@lru_cache
def population_sizes(codec: str) -> list[int]:
    """What `codec` of the 6.1 kernel made of the pages of the population that it stores: it fits, not same-filled."""
    from zsim.compressors.population import Population  # with numpy, which no other sequence needs

    pages = Population(KERNEL)
    sizes = pages.sizes_bytes(codec)
    return [int(size_bytes) for size_bytes in sizes[(pages.same_filled == 0) & (sizes <= PAGE_SIZE)]]


def _uniform(random: Random) -> Draw:
    return lambda: random.randint(1, PAGE_SIZE)


def _bimodal(random: Random) -> Draw:
    return lambda: random.randint(500, 1399) if random.random() < 0.7 else random.randint(2400, PAGE_SIZE)


def _population(codec: str) -> Callable[[Random], Draw]:
    return lambda random: lambda: random.choice(population_sizes(codec))


SIZES: dict[str, Callable[[Random], Draw]] = {
    "uniform": _uniform,
    "bimodal": _bimodal,
    "few": lambda random: lambda: random.choice(FEW_BYTES),
    **{codec: _population(codec) for codec in CODECS},
}
"""Size distributions: 1..4096, 500..1399 (70 %) and 2400..4096, four sizes (for a map), and the real
pages of the population under a codec."""


def _fill(draw: Draw, random: Random, ops: int) -> Iterator[Step]:
    """Objects that stay."""
    return (("a", number, draw()) for number in count())


def _churn(draw: Draw, random: Random, ops: int) -> Iterator[Step]:
    """A sixth of the rows fill the pool; then an object at random is replaced, again and again."""
    objects = max(1, ops // 6)
    yield from islice(_fill(draw, random, ops), objects)
    while True:
        number = random.randrange(objects)
        yield "f", number, 0
        yield "a", number, draw()


def _ageing(draw: Draw, random: Random, ops: int) -> Iterator[Step]:
    """As churn, while the data turns less compressible: from the smaller of two draws to the larger of two."""
    draws = 7 * ops // 12 + 1  # a sixth of the rows, and half of the rest
    drawn = count()

    def drifting() -> int:
        later = random.randrange(draws) < next(drawn)
        return (max if later else min)(draw(), draw())

    return _churn(drifting, random, ops)


def _reclaim(draw: Draw, random: Random, ops: int) -> Iterator[Step]:
    """Churn, and at the end one row in 200 reclaims a page each."""
    calls = max(1, ops // 200)
    yield from islice(_churn(draw, random, ops - calls), ops - calls)
    while True:
        yield "r", 0, 0


PATTERNS = {"fill": _fill, "churn": _churn, "ageing": _ageing, "reclaim": _reclaim}


def _one_size(size_bytes: int) -> Iterator[Step]:
    return (("a", number, size_bytes) for number in count())


def _stranded(ops: int) -> Iterator[Step]:
    """Class after class is filled, then freed but for one object in each zspage: what zsmalloc cannot give back."""
    classes = [shape for shape in dict.fromkeys(class_table(by_waste, 8, True)) if shape.objects > 1][::-9]
    numbers = count()
    for shape in classes:
        zspages = max(1, ops // (2 * len(classes) * shape.objects))
        ids = [next(numbers) for _ in range(zspages * shape.objects)]
        yield from (("a", number, shape.slot_bytes - HANDLE_BYTES) for number in ids)
        yield from (("f", number, 0) for i, number in enumerate(ids) if i % shape.objects)
    yield from (("a", number, PAGE_SIZE) for number in numbers)


ADVERSARIAL: dict[str, Callable[[int], Iterator[Step]]] = {
    **dict.fromkeys(
        ("zbud", "z3fold", "zcache1-zbud", "zcache2-zbud", "xvmalloc", "kmalloc"),
        lambda ops: _one_size(JUST_OVER_HALF_BYTES),  # no two share a page or a power of two
    ),
    "zsmalloc": _stranded,
    "zblock": lambda ops: _one_size(3632),  # as large as a slot, so it takes the next larger: a page each
    "buddy": lambda ops: _one_size(1),
}
"""For each allocator a sequence that it packs badly."""


def generate(spec: str, ops: int, seed: int) -> Iterator[Row]:
    """`ops` rows of SIZES (filled), PATTERN, PATTERN:SIZES or adversarial:ALLOCATOR; SIZES may be a number of bytes.

    A pattern without sizes takes those of lz4.
    """
    if ops < 1:
        raise UsageError(f"--ops {ops}: a sequence has at least 1 row")
    steps = _steps(spec, ops, seed)
    return (Row(*step, line) for line, step in enumerate(islice(steps, ops), 2))


def _steps(spec: str, ops: int, seed: int) -> Iterator[Step]:
    pattern, _, sizes = spec.partition(":")
    if pattern == "adversarial":
        return _pick(ADVERSARIAL, sizes or "zsmalloc", "allocator")(ops)
    if pattern not in PATTERNS and not sizes:
        pattern, sizes = "fill", pattern
    random = Random(seed)
    return _pick(PATTERNS, pattern, "pattern")(_draw(sizes or "lz4", random), random, ops)


def _draw(sizes: str, random: Random) -> Draw:
    if sizes.isdecimal():
        return lambda: int(sizes)
    return _pick(SIZES, sizes, "size distribution")(random)


def _pick(table: dict[str, Kind], name: str, what: str) -> Kind:
    if name not in table:
        extra = [*PATTERNS, "adversarial"] if table is SIZES else []
        raise UsageError(f"no {what} {name!r}{suggestion(name, [*table, *extra])}")
    return table[name]
