"""Page images of a recording: each distinct one once, its sizes per codec, and its bytes in zstd frames."""

import mmap
import os
from array import array
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pyarrow as pa
import zstandard
from pyarrow import parquet

from zsim.compressors import COMPRESSORS, Compressor
from zsim.files import replacing
from zsim.traces import arrow
from zsim.traces.images import FRAME_PAGES
from zsim.traces.streams import zstd_pieces
from zsim.units import PAGE_SIZE

CODECS = ("lz4", "zstd")
LIVE_LEVEL, FINAL_LEVEL = 1, 6
SPREAD = 0x9E37_79B9_7F4A_7C15


class Versions:
    """The image store while a recording runs: NAME.images.parquet and NAME.pages.zst.

    pages_in  keep the bytes of one page in so many, sizes of all; 0: sizes only
    `flush` leaves files that are valid and complete for the ids given out before.
    """

    def __init__(self, base: str, pages_in: int) -> None:
        self.table_path, self.pages_path = Path(base + ".images.parquet"), Path(base + ".pages.zst")
        self.pages_in = pages_in
        self.codecs: list[Compressor] = [COMPRESSORS.load(name)() for name in CODECS]
        self.sizes = [array("H") for _ in CODECS]
        self.same_filled, self.slots, self.pages = array("B"), array("i"), array("Q")
        self.given = self.written = 0
        self._ids: dict[bytes, int] = {}
        self._frame: list[bytes] = []
        self._framed: list[int] = []
        self._file = self.pages_path.open("wb", buffering=0) if pages_in else None

    def add(self, page: int, data: bytes) -> int:
        """The id of an image, new or known; `page` is where it was found."""
        self.given += 1
        digest = blake2b(data, digest_size=16).digest()
        if (known := self._ids.get(digest)) is not None:
            return known
        number = self._ids[digest] = len(self.slots)
        same = data == data[:8] * (PAGE_SIZE // 8)
        for sizes, codec in zip(self.sizes, self.codecs, strict=True):
            sizes.append(0 if same else codec.size_bytes(data, codec.default_level))
        self.same_filled.append(same)
        self.slots.append(-1)
        self.pages.append(page)
        if self.pages_in and (page * SPREAD >> 32 & 0xFFFF) % self.pages_in == 0:
            self._keep(number, data)
        return number

    def _keep(self, number: int, data: bytes) -> None:
        self._frame.append(data)
        self._framed.append(number)
        if len(self._frame) == FRAME_PAGES:
            self._write_frame()

    def _write_frame(self) -> None:
        if self._file is None or not self._frame:
            return
        self._file.write(zstandard.ZstdCompressor(level=LIVE_LEVEL).compress(b"".join(self._frame)))
        for number in self._framed:
            self.slots[number] = self.written
            self.written += 1
        self._frame, self._framed = [], []

    def flush(self) -> None:
        """Write the table of the ids given out so far; images of the frame in the making count as sizes only."""
        self._write_table(np.array(self.slots, np.int32))

    def _write_table(self, slots: np.ndarray[tuple[int], np.dtype[np.int32]]) -> None:
        columns = {name: arrow.array(np.array(sizes)) for name, sizes in zip(CODECS, self.sizes, strict=True)}
        columns["same_filled"] = arrow.array(np.array(self.same_filled).astype(bool))
        columns["slot"] = arrow.array(slots)
        with replacing(self.table_path) as part:
            parquet.write_table(pa.table(columns), part, compression="zstd", compression_level=FINAL_LEVEL)

    def close(self) -> None:
        """Put the images of a page side by side, which makes the frames a third of the size, and write the table."""
        self._write_frame()
        if self._file is None:
            return self.flush()
        self._file.close()
        self._write_table(np.full(len(self.slots), -1, np.int32))  # until table and page file agree again
        kept = np.flatnonzero(np.array(self.slots) >= 0)
        order = kept[np.argsort(np.array(self.pages)[kept], kind="stable")]
        self._rewrite([self.slots[number] for number in order])
        slots = np.full(len(self.slots), -1, np.int32)
        slots[order] = np.arange(len(order))
        return self._write_table(slots)

    def _rewrite(self, order: list[int]) -> None:
        """Write the page file again with its pages in the given order."""
        raw_path = self.pages_path.with_name(f".{self.pages_path.name}.{os.getpid()}.raw")
        if not order:
            return
        try:
            with raw_path.open("w+b") as raw, self.pages_path.open("rb") as packed, replacing(self.pages_path) as part:
                raw.writelines(zstd_pieces(packed, str(self.pages_path)))
                raw.flush()
                with mmap.mmap(raw.fileno(), 0) as images, part.open("wb") as out:
                    compressor = zstandard.ZstdCompressor(level=FINAL_LEVEL)
                    for first in range(0, len(order), FRAME_PAGES):
                        slots = order[first : first + FRAME_PAGES]
                        pages = (images[slot * PAGE_SIZE : (slot + 1) * PAGE_SIZE] for slot in slots)
                        out.write(compressor.compress(b"".join(pages)))
        finally:
            raw_path.unlink(missing_ok=True)
