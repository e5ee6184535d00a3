"""A build tool in one process: 250 sources that include 200 headers, compiled, linked, and three times built again.

Compiling reads a source and all it includes, again for each source, and writes an object; linking reads the objects
twice and writes the program. `build.py tree` makes the tree, the same one every time.
"""

import random
import re
import sys
import zlib
from itertools import accumulate
from pathlib import Path

SOURCES, HEADERS, CHANGES = 250, 200, 3
INCLUDE = re.compile(rb'^#include "(.*)"', re.M)


def make_tree() -> None:
    chance = random.Random(1)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz_", k=chance.randint(2, 11))) for _ in range(4000)]
    weights = list(accumulate(1 / rank for rank in range(1, len(words) + 1)))
    popular = list(accumulate(1 / rank**0.9 for rank in range(1, HEADERS + 1)))
    Path("include").mkdir()
    Path("src").mkdir()
    for number in range(HEADERS + SOURCES):
        is_header = number < HEADERS
        limit = number if is_header else HEADERS
        count = min(chance.randint(0, 2), limit) if is_header else chance.randint(5, 12)
        included = {chance.choices(range(limit), cum_weights=popular[:limit])[0] for _ in range(count)}
        text = "".join(f'#include "include/h{each:03}.h"\n' for each in sorted(included))
        size_bytes = len(text) + min(int(chance.lognormvariate(9.2, 1.0)), 1 << 18)
        while len(text) < size_bytes:
            text += " ".join(chance.choices(words, cum_weights=weights, k=chance.randint(1, 14))) + "\n"
        Path(f"include/h{number:03}.h" if is_header else f"src/s{number - HEADERS:03}.c").write_text(text)


def compile_source(source: str) -> set[str]:
    seen: set[str] = set()
    packer = zlib.compressobj(1)
    with Path(source).with_suffix(".o").open("wb") as out:
        waiting = [source]
        while waiting:
            path = waiting.pop()
            if path not in seen:
                seen.add(path)
                text = Path(path).read_bytes()
                waiting += [found.decode() for found in INCLUDE.findall(text)]
                out.write(packer.compress(text)[::2])
        out.write(packer.flush())
    return seen


def link(objects: list[Path]) -> None:
    symbols = 0
    for each in objects:
        with each.open("rb") as file:
            symbols += sum(file.read(4096))
    with Path("program").open("wb") as out:
        for each in objects:
            out.write(each.read_bytes())
    print(len(objects), "objects", symbols, Path("program").stat().st_size)


def build() -> None:
    sources = sorted(map(str, Path("src").glob("*.c")))
    needs = {source: compile_source(source) for source in sources}
    link([Path(source).with_suffix(".o") for source in sources])
    chance = random.Random(2)
    for _ in range(CHANGES):
        header = f"include/h{chance.randint(HEADERS // 10, HEADERS - 1):03}.h"
        changed = [source for source in sources if header in needs[source] or chance.random() < 0.02]
        for source in changed:
            compile_source(source)
        print(header, len(changed), "sources")
        link([Path(source).with_suffix(".o") for source in sources])


make_tree() if sys.argv[1:] == ["tree"] else build()
