"""Page-cache objects: which file a page belongs to, and where in it the page is."""

import numpy as np
import numpy.typing as npt

from zsim.traces.trace import Trace

NO_OBJECT = -1


def page_objects(trace: Trace) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Per page its object and its index there, counted from the object's lowest page; NO_OBJECT for anonymous memory.

    Objects are those of the trace; where it names none, each run of consecutive file pages of a task is one.
    """
    objects = trace.objects
    if objects is None:
        objects = number_objects(np.full(trace.pages, NO_OBJECT, np.int32), trace)
    indexes = np.zeros(trace.pages, np.int64)
    pages = np.flatnonzero(objects >= 0)
    if pages.size:
        lowest = np.full(int(objects.max()) + 1, np.iinfo(np.uint64).max, np.uint64)
        np.minimum.at(lowest, objects[pages], trace.numbers[pages])
        indexes[pages] = (trace.numbers[pages] - lowest[objects[pages]]).astype(np.int64)
    return objects, indexes


def number_objects(named: npt.NDArray[np.int32], trace: Trace) -> npt.NDArray[np.int32]:
    """An object number per page: one for each (task, name of `named`), then one for each run of file pages without."""
    objects = np.full(trace.pages, NO_OBJECT, np.int32)
    pages = np.flatnonzero((trace.is_file != 0) & (named >= 0))
    keys = trace.owner[pages].astype(np.int64) << 32 | named[pages]
    known, objects[pages] = np.unique(keys, return_inverse=True)
    rest = np.flatnonzero((trace.is_file != 0) & (named < 0))
    rest = rest[np.lexsort((trace.numbers[rest], trace.owner[rest]))]
    if rest.size:
        owners, numbers = trace.owner[rest], trace.numbers[rest]
        starts = np.r_[False, (owners[1:] != owners[:-1]) | (numbers[1:] - numbers[:-1] > 1)]
        objects[rest] = len(known) + np.cumsum(starts)
    return objects


def file_blocks(trace: Trace) -> list[int]:
    """The block of each file page on the filesystem's device: the file pages of the trace in order of address."""
    blocks = np.full(trace.pages, -1, dtype=np.int64)
    files = np.flatnonzero(trace.is_file)
    blocks[files[np.lexsort((trace.numbers[files], trace.owner[files]))]] = np.arange(len(files))
    result: list[int] = blocks.tolist()
    return result
