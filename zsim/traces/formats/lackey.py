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
        rest = np.flatnonzero((ends > starts) & ~np.isin(self.data[starts], list(b"=-*")))
        self.numbers, starts, ends = rest + line, starts[rest], ends[rest]
        self.kind = self._kinds(starts, ends)
        commas = np.flatnonzero(self.data == ord(","))
        comma = np.append(commas, len(self.data))[np.searchsorted(commas, starts)]
        self._check((comma >= ends - 1) | (comma < starts + 4), starts, ends)
        self.address = self._number(starts + 3, comma, 16, starts, ends)
        self.size_bytes = self._number(comma + 1, ends, 10, starts, ends)
        self._spans = starts, ends

    def _kinds(self, starts: Places, ends: Places) -> npt.NDArray[np.int8]:
        kind = np.full(len(starts), -1, np.int8)
        heads = np.stack([self.data[np.minimum(starts + i, len(self.data) - 1)] for i in range(3)], axis=1)
        for text, code in KINDS.items():
            kind[(heads == np.frombuffer(text, np.uint8)).all(axis=1)] = code
        self._check(kind < 0, starts, ends)
        return kind

    def _number(self, first: Places, end: Places, base: int, starts: Places, ends: Places) -> npt.NDArray[np.uint64]:
        """The numbers written at first .. end - 1, from their last digit on."""
        digits = end - first
        self._check((digits < 1) | (digits > (16 if base == 16 else 9)), starts, ends)
        value = np.zeros(len(first), np.uint64)
        for place in range(int(digits.max(initial=0))):
            digit = np.where(place < digits, DIGITS[self.data[np.maximum(end - 1 - place, 0)]], 0)
            self._check(digit >= base, starts, ends)
            value += digit.astype(np.uint64) * np.uint64(base**place)
        return value

    def _check(self, wrong: npt.NDArray[np.bool_], starts: Places, ends: Places) -> None:
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            text = self.data[starts[row] : ends[row]].tobytes().decode(errors="replace")
            raise TraceError(f"{self.where(row)}: {text[:60]!r}; expected {EXPECTED}")

    def where(self, row: int) -> str:
        """The file and line of an access."""
        return f"{self.place}:{self.numbers[row]}"
