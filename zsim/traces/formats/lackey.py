"""Valgrind's lackey: every access of a program, instruction fetches too.

    valgrind --tool=lackey --trace-mem=yes --log-file=NAME.lackey COMMAND

Lines are `I  ADDRESS,SIZE` (fetch), ` L ` (load), ` S ` (store), ` M ` (load and store), the address hexadecimal, the
size in decimal bytes; lines of valgrind's own begin with == or --. Layout: Valgrind manual, "Lackey", and its output
(3.19). All pages are anonymous memory of one task, for the text does not tell; the clock is the instructions so far, a
nanosecond each. Of accesses to one page with no other in between, only the first and the first write are kept.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from zsim.errors import TraceError
from zsim.traces.columns import Columns, Table
from zsim.traces.formats.accesses import Program
from zsim.traces.streams import blocks

KINDS = {b"I  ": 0, b" L ": 1, b" S ": 2, b" M ": 3}
DIGITS = np.full(256, 255, np.uint8)
DIGITS[list(b"0123456789")] = range(10)
DIGITS[list(b"abcdef")] = DIGITS[list(b"ABCDEF")] = range(10, 16)
LAST_BYTES = np.array([2**64 - 2 ** (64 - 8 * count) for count in range(9)], np.uint64)
"""Of a word of eight bytes, what masks all but the last so many."""
PACKING = [(4, 0x00FF00FF00FF00FF), (8, 0x0000FFFF0000FFFF), (16, 0x00000000FFFFFFFF)]
EXPECTED = "a line of lackey --trace-mem=yes, such as ' L 1ffeffe7e0,8'"
Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]


def read(path: str, limit: int | None = None) -> Table:
    """Valgrind's lackey, `--trace-mem=yes`: every access of a program, one nanosecond an instruction."""
    return Table(_chunks(path), {"imported": "lackey", "instruction_ns": 1}).limited(limit)


def _chunks(path: str) -> Iterator[Columns]:
    place = "stdin" if path == "-" else path
    program = Program()
    for line, block in blocks(path):
        lines = Lines(block, line, place)
        write = (lines.kind >= 2).astype(np.uint8)
        yield program.columns(lines.address, lines.size_bytes, lines.kind == 0, write, lines.where)


class Lines:
    """The access lines of a block: which kind, where, how many bytes."""

    def __init__(self, block: bytes, line: int, place: str) -> None:
        self.data: Bytes = np.frombuffer(block + b"\n" if block[-1:] != b"\n" else block, np.uint8)
        self.place = place
        ends = np.flatnonzero(self.data == 10)
        starts = np.r_[0, ends[:-1] + 1]
        ends -= self.data[ends - 1] == ord("\r")
        head = self.data[starts]
        rest = np.flatnonzero((ends > starts) & (head != ord("=")) & (head != ord("-")) & (head != ord("*")))
        self.numbers, starts, ends = rest + line, starts[rest], ends[rest]
        self.kind = self._kinds(starts, ends)
        commas = np.flatnonzero(self.data == ord(","))
        comma = np.append(commas, len(self.data))[np.searchsorted(commas, starts)]
        self._check((comma >= ends - 1) | (comma < starts + 4), starts, ends)
        self.address = self._address(starts + 3, comma, starts, ends)
        self.size_bytes = self._size_bytes(comma + 1, ends, starts, ends)
        self._spans = starts, ends

    def _kinds(self, starts: Places, ends: Places) -> npt.NDArray[np.int8]:
        kind = np.full(len(starts), -1, np.int8)
        last = len(self.data) - 1
        first, second, third = (self.data[np.minimum(starts + i, last)].astype(np.int32) for i in range(3))
        head = first << 16 | second << 8 | third
        for text, code in KINDS.items():
            kind[head == int.from_bytes(text, "big")] = code
        self._check(kind < 0, starts, ends)
        return kind

    def _address(self, first: Places, end: Places, starts: Places, ends: Places) -> npt.NDArray[np.uint64]:
        """The hexadecimal numbers written at first .. end - 1, as two words of eight digits."""
        digits = end - first
        self._check((digits < 1) | (digits > 16), starts, ends)
        values = np.r_[np.zeros(16, np.uint8), DIGITS[self.data]]
        words = np.ndarray(len(values) - 7, "<u8", values, strides=(1,))
        low = words[end + 8] & LAST_BYTES[np.minimum(digits, 8)]
        high = words[end] & LAST_BYTES[np.maximum(digits - 8, 0)]
        self._check(((low | high) & np.uint64(0xF0F0F0F0F0F0F0F0)) != 0, starts, ends)
        return _packed(high) << np.uint64(32) | _packed(low)

    def _size_bytes(self, first: Places, end: Places, starts: Places, ends: Places) -> npt.NDArray[np.uint64]:
        """The decimal numbers written at first .. end - 1."""
        digits = end - first
        self._check((digits < 1) | (digits > 9), starts, ends)
        value = np.zeros(len(first), np.uint64)
        for place in range(int(digits.max(initial=0))):
            digit = np.where(place < digits, DIGITS[self.data[end - 1 - place]], 0)
            self._check(digit >= 10, starts, ends)
            value += digit.astype(np.uint64) * np.uint64(10**place)
        return value

    def _check(self, wrong: npt.NDArray[np.bool_], starts: Places, ends: Places) -> None:
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            text = self.data[starts[row] : ends[row]].tobytes().decode(errors="replace")
            raise TraceError(f"{self.where(row)}: {text[:60]!r}; expected {EXPECTED}")

    def where(self, row: int) -> str:
        """The file and line of an access."""
        return f"{self.place}:{self.numbers[row]}"


def _packed(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Words of eight bytes, a hexadecimal digit each and the highest first, as numbers."""
    words = words.byteswap()
    for shift, mask in PACKING:
        words = (words | words >> np.uint64(shift)) & np.uint64(mask)
    return words
