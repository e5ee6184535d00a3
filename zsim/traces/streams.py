"""Bytes of a trace file, decompressed on the way: plain, gzip or zstd by what the file holds, "-" for stdin."""

import gzip
import sys
import zlib
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from zsim.errors import TraceError

PIECE_BYTES = 1 << 20
BLOCK_BYTES = 4 << 20
MAX_LINE_BYTES = 1 << 20
GZIP, ZSTD, PARQUET = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1"


def open_bytes(path: str) -> BufferedReader:
    """The file, or stdin for "-"; a `TraceError` where it cannot be opened."""
    if path == "-":
        return cast(BufferedReader, sys.stdin.buffer)
    try:
        return Path(path).open("rb")
    except IsADirectoryError:
        raise TraceError(f"{path} is a directory; expected a trace file") from None
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror or error}") from None


def pieces(stream: BufferedReader, place: str) -> Iterator[bytes]:
    """The stream's bytes, decompressed, about 1 MiB at a time; a truncated or damaged stream is a `TraceError`."""
    magic = stream.peek(4)[:4]
    if magic.startswith(GZIP):
        yield from _gzip(stream, place)
    elif magic == ZSTD:
        yield from zstd_pieces(stream, place)
    else:
        while data := stream.read(PIECE_BYTES):
            yield data


def blocks(path: str) -> Iterator[tuple[int, bytes]]:
    """A text file ("-": stdin) as (number of its first line, whole lines) of about BLOCK_BYTES each."""
    place = "stdin" if path == "-" else path
    line, parts, size = 1, [], 0
    for piece in pieces(open_bytes(path), place):
        parts.append(piece)
        size += len(piece)
        if size < BLOCK_BYTES:
            continue
        text = b"".join(parts)
        end = text.rfind(b"\n") + 1
        if len(text) - end > MAX_LINE_BYTES:
            raise TraceError(
                f"{place}:{line + text.count(10)}: a line of more than {MAX_LINE_BYTES} bytes; not a text trace"
            )
        if end:
            yield line, text[:end]
        line += text.count(b"\n", 0, end)
        parts, size = [text[end:]], len(text) - end
    if size:
        yield line, b"".join(parts)


def line_placer(place: str, line: int, block: bytes) -> Callable[[int], str]:
    """A function from the row of a block to "file:line"; empty lines are no rows."""

    def where(row: int) -> str:
        filled = (number for number, text in enumerate(block.split(b"\n"), line) if text.strip(b"\r"))
        return f"{place}:{next(number for i, number in enumerate(filled) if i == row)}"

    return where


def _gzip(stream: BinaryIO, place: str) -> Iterator[bytes]:
    unpacked = gzip.GzipFile(fileobj=stream)
    try:
        while data := unpacked.read(PIECE_BYTES):
            yield data
    except EOFError:
        raise TraceError(f"{place}: the gzip stream ends too early; the file is truncated") from None
    except (OSError, zlib.error) as error:
        raise TraceError(f"{place}: damaged gzip stream ({error})") from None


def zstd_pieces(stream: BinaryIO, place: str) -> Iterator[bytes]:
    """As `pieces`, for zstd: all frames one after the other; at least one frame must be complete at the end."""
    import zstandard

    decoder = zstandard.ZstdDecompressor().decompressobj()
    data = stream.read(PIECE_BYTES >> 4)
    try:
        while data:
            if decoder.eof:
                decoder = zstandard.ZstdDecompressor().decompressobj()
            yield decoder.decompress(data)
            data = decoder.unused_data if decoder.eof else b""
            data = data or stream.read(PIECE_BYTES >> 4)
    except zstandard.ZstdError as error:
        raise TraceError(f"{place}: damaged zstd stream ({error})") from None
    if not decoder.eof:
        raise TraceError(f"{place}: the zstd stream ends too early; the file is truncated")
