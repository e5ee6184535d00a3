"""Make l2.txt, 110,000 lines of a log in no order, 6.4 MB: the same one every time."""

import random
from pathlib import Path

chance = random.Random(7)
words = [f"w{number:05}" for number in range(20_000)]


def line() -> str:
    first, second = chance.choice(words), chance.choice(words)
    number, user = chance.randrange(1_000_000_000), chance.randrange(50_000)
    return f"{first} {second} {number} user{user:05} /var/log/app/{chance.choice(words)}.log\n"


Path("l2.txt").write_text("".join(line() for _ in range(110_000)))
