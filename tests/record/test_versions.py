"""The image store: each image once, sizes as the codecs have them, pages side by side, valid at every flush."""

import random
from pathlib import Path

import numpy as np
import pytest

from zsim.compressors import COMPRESSORS
from zsim.record.versions import Versions
from zsim.traces.images import read_images, read_pages

CHANCE = random.Random(1)
PAGES = [CHANCE.randbytes(100) * 40 + bytes([each] * 96) for each in range(200)]
FULL = [CHANCE.randbytes(4096) for _ in range(3)]


def test_images_come_out_as_they_went_in(tmp_path: Path) -> None:
    """Sorted by page, by version within a page; ids and sizes stay."""
    store = Versions(str(tmp_path / "a"), 1)
    order = CHANCE.sample(range(600), 600)
    ids = {each: store.add(each % 30, PAGES[each % 200]) for each in order}
    assert len(set(ids.values())) == 200 and store.given == 600
    store.close()
    images = read_images(tmp_path / "a.images.parquet", tmp_path / "a.pages.zst")
    held = dict(read_pages(images))
    assert all(held[images.slots[number]] == PAGES[each % 200] for each, number in ids.items())
    lz4 = COMPRESSORS.load("lz4")()
    assert images.sizes_bytes["lz4"][ids[7]] == lz4.size_bytes(PAGES[7], lz4.default_level)
    pages = np.array(store.pages)[np.argsort(images.slots)]
    assert (np.diff(pages.astype(np.int64)) >= 0).all()


def test_same_filled_and_full_pages(tmp_path: Path) -> None:
    """A page of one word has no size; one that does not compress has more than a page."""
    store = Versions(str(tmp_path / "a"), 0)
    numbers = [store.add(page, data) for page, data in enumerate([bytes(4096), b"12345678" * 512, FULL[0]])]
    store.close()
    images = read_images(tmp_path / "a.images.parquet", None)
    assert numbers == [0, 1, 2] and images.same_filled.tolist() == [1, 1, 0]
    assert images.sizes_bytes["lz4"].tolist()[:2] == [0, 0] and images.sizes_bytes["lz4"][2] > 4096
    assert (images.slots == -1).all() and not (tmp_path / "a.pages.zst").exists()


def test_every_flush_is_valid(tmp_path: Path) -> None:
    """What is on disk at a flush is complete for the ids given out: images in whole frames, sizes for the rest."""
    store = Versions(str(tmp_path / "a"), 1)
    data = [CHANCE.randbytes(64) * 64 for _ in range(300)]
    for page, each in enumerate(data):
        store.add(page, each)
    store.flush()
    images = read_images(tmp_path / "a.images.parquet", tmp_path / "a.pages.zst")
    assert images.count == 300 and np.count_nonzero(images.slots >= 0) == 256
    held = dict(read_pages(images))
    assert all(held[slot] == data[number] for number, slot in enumerate(images.slots.tolist()) if slot >= 0)
    store.close()


@pytest.mark.parametrize("pages_in", [2, 8])
def test_images_of_some_pages(tmp_path: Path, pages_in: int) -> None:
    """One page in N keeps its images, all of them; every image has its sizes."""
    store = Versions(str(tmp_path / "a"), pages_in)
    for page in range(400):
        for version in range(2):
            store.add(page, (page * 2 + version).to_bytes(4, "little") + b"x" * 4092)
    store.close()
    images = read_images(tmp_path / "a.images.parquet", tmp_path / "a.pages.zst")
    kept = (images.slots >= 0).reshape(400, 2)
    assert (kept[:, 0] == kept[:, 1]).all()
    assert 0.5 / pages_in < kept[:, 0].mean() < 2 / pages_in
    assert (images.sizes_bytes["zstd"] > 0).all()


def test_nothing_to_keep(tmp_path: Path) -> None:
    """A store without images leaves a table without rows."""
    store = Versions(str(tmp_path / "a"), 1)
    store.close()
    assert read_images(tmp_path / "a.images.parquet", tmp_path / "a.pages.zst").count == 0
