"""Pages, bytes and nanoseconds: the units every module counts in, and how people write them."""

import re

from zsim.errors import UsageError

PAGE_SIZE = 4096
NS_PER_US = 1_000
NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000

_BYTES = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_TIMES_NS = {"": 1, "ns": 1, "us": NS_PER_US, "ms": NS_PER_MS, "s": NS_PER_S}
_NUMBER = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-zA-Z%]*)\s*")


def _split(text: str, what: str) -> tuple[float, str]:
    match = _NUMBER.fullmatch(str(text))
    if match is None:
        raise UsageError(f"{text!r} is not {what}")
    return float(match[1]), match[2].lower()


def parse_bytes(text: str | int, of_bytes: int | None = None) -> int:
    """Bytes written as "64M", "512KiB", "4096", or, where `of_bytes` is given, as a share of it ("50%", "0.5x")."""
    if isinstance(text, int):
        return text
    what = 'a size (write "64M", "1G", bytes' + (', or a share: "50%")' if of_bytes is not None else ")")
    number, unit = _split(text, what)
    if unit in ("%", "x"):
        if of_bytes is None:
            raise UsageError(f"{text!r}: a share needs something to be a share of; write {what}")
        return round(of_bytes * number / (100 if unit == "%" else 1))
    scale = _BYTES.get(unit.removesuffix("ib") if unit.endswith("ib") else unit.removesuffix("b"))
    if scale is None:
        raise UsageError(f"{text!r} is not {what}")
    return round(number * scale)


def parse_ns(text: str | int) -> int:
    """Nanoseconds written as "80us", "1.5ms", "2s" or a plain number of nanoseconds."""
    if isinstance(text, int):
        return text
    number, unit = _split(text, 'a time (write "80us", "5ms", or nanoseconds)')
    if unit not in _TIMES_NS:
        raise UsageError(f'{text!r} is not a time (write "80us", "5ms", or nanoseconds)')
    return round(number * _TIMES_NS[unit])


def format_bytes(size_bytes: float) -> str:
    """A size for people: 3 significant digits and a binary unit ("41.3 MiB")."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(size_bytes) < 1024:
            return f"{_digits(size_bytes)} {unit}"
        size_bytes /= 1024
    return f"{_digits(size_bytes)} TiB"


def format_ns(time_ns: float) -> str:
    """A time for people: 3 significant digits and a unit ("80.2 us")."""
    for unit, scale in (("ns", 1), ("us", NS_PER_US), ("ms", NS_PER_MS)):
        if abs(time_ns) < 999.5 * scale:
            return f"{_digits(time_ns / scale)} {unit}"
    return f"{_digits(time_ns / NS_PER_S)} s"


def _digits(number: float) -> str:
    """Three significant digits, never an exponent."""
    return f"{number:.0f}" if abs(number) >= 100 else f"{number:.3g}"


def pages_for(size_bytes: int) -> int:
    """Whole page frames needed for `size_bytes`."""
    return -(-size_bytes // PAGE_SIZE)
