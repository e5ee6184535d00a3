"""Make a tree of 700 text files, 20 MB in all, of very different sizes: the same one every time."""

import random
from itertools import accumulate
from pathlib import Path

chance = random.Random(1)
words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz_", k=chance.randint(2, 11))) for _ in range(4000)]
weights = list(accumulate(1 / rank for rank in range(1, len(words) + 1)))
for number in range(700):
    path = Path(f"tree/d{number % 23:02}/f{number:03}.txt")
    path.parent.mkdir(parents=True, exist_ok=True)
    size_bytes = min(int(chance.lognormvariate(9.4, 1.25)), 1 << 20)
    text = ""
    while len(text) < size_bytes:
        text += " ".join(chance.choices(words, cum_weights=weights, k=chance.randint(1, 14))) + "\n"
    path.write_text(text)
