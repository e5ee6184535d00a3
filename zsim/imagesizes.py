"""Compressed sizes of a recording's page images, computed once per codec, level and library and kept in the cache."""

import hashlib
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt

from zsim.compressors import Compressor
from zsim.files import cache_path, keep
from zsim.traces.images import read_pages
from zsim.traces.trace import Images
from zsim.units import PAGE_SIZE

UNKNOWN = -1


def image_sizes(images: Images, codec: Compressor, level: int) -> npt.NDArray[np.int64]:
    """Size of each image: its own where the image is there, else the recorded one, else UNKNOWN."""
    sizes = np.full(images.count, UNKNOWN, np.int64)
    if level == codec.default_level and codec.name in images.sizes_bytes:
        sizes[:] = images.sizes_bytes[codec.name]
    if not codec.levels:
        return sizes
    sizes[images.same_filled != 0] = codec.size_bytes(bytes(PAGE_SIZE), level)
    if images.pages_path is not None and (images.slots >= 0).any():
        present = np.flatnonzero(images.slots >= 0)
        sizes[present] = _slot_sizes(images, images.pages_path, codec, level)[images.slots[present]]
    return sizes


def _slot_sizes(images: Images, path: Path, codec: Compressor, level: int) -> npt.NDArray[np.int64]:
    """Size of every page of the page file by slot, from the cache where it has them."""
    name = f"sizes-{codec.name}-{level}-{codec.version}-{file_digest(path)}.npy"
    kept = cache_path(name)
    if kept is not None and (sizes := _load(kept, int(images.slots.max()) + 1)) is not None:
        return sizes
    sizes = np.array([codec.size_bytes(page, level) for _, page in read_pages(images)], np.int64)
    keep(name, lambda part: part.write_bytes(_npy(sizes)))
    return sizes


def _load(path: Path, count: int) -> npt.NDArray[np.int64] | None:
    try:
        sizes: npt.NDArray[np.int64] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return sizes if sizes.ndim == 1 and sizes.dtype == np.int64 and len(sizes) >= count else None


def _npy(values: npt.NDArray[np.int64]) -> bytes:
    buffer = BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


def file_digest(path: Path) -> str:
    """sha256 of a file's bytes, hexadecimal, shortened to what a file name needs."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:24]
