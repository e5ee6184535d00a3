"""Pictures of a trace: which pages were touched when, as text or as a figure."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from zsim.errors import UsageError, ZsimError
from zsim.files import replacing
from zsim.traces.info import ordered
from zsim.traces.trace import Trace

SHADES = " .:-=+*#%@"
FORMATS = (".svg", ".pdf", ".png")


def density(trace: Trace, rows: int, columns: int) -> npt.NDArray[np.int64]:
    """Accesses per cell, (rows, columns): pages by ascending task and number without gaps, time in accesses."""
    pages = ordered(trace) >> 1
    height = np.empty(trace.pages, np.int64)
    height[np.lexsort((trace.numbers, trace.owner))] = np.arange(trace.pages) * rows // trace.pages
    counts = np.zeros(rows * columns, np.int64)
    step = 1 << 20
    for start in range(0, len(pages), step):
        part = pages[start : start + step]
        column = (np.arange(start, start + len(part)) * columns) // len(pages)
        counts += np.bincount(height[part] * columns + column, minlength=rows * columns)
    return counts.reshape(rows, columns)


def as_text(trace: Trace, rows: int = 16, columns: int = 72) -> str:
    """Page over time in characters, high page numbers on top; the darker, the more accesses (logarithmic)."""
    counts = np.log1p(density(trace, min(rows, trace.pages), columns))
    shade = np.ceil(counts / max(counts.max(), 1e-9) * (len(SHADES) - 1)).astype(int)
    return "\n".join("".join(SHADES[cell] for cell in line).rstrip() for line in shade[::-1])


def check_name(path: Path) -> None:
    """A `UsageError` where the suffix of `path` is not that of a figure."""
    if path.suffix not in FORMATS:
        raise UsageError(f"{path}: no figure has this suffix; expected {', '.join(FORMATS)}")


def plot(trace: Trace, path: Path) -> None:
    """Page over time as a figure (.svg, .pdf or .png by the name), the same bytes for the same trace."""
    check_name(path)
    import matplotlib
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.add_subplot()
    counts = np.log10(np.maximum(density(trace, min(256, trace.pages), 512), 0.5))
    extent = (0.0, float(trace.accesses), 0.0, float(trace.pages))
    image = axes.imshow(counts, aspect="auto", origin="lower", extent=extent, cmap="viridis", interpolation="none")
    axes.set_xlabel("accesses")
    axes.set_ylabel("page, by task and number")
    axes.set_title(trace.name)
    figure.colorbar(image, label="accesses per cell, log10")
    date = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}, ".png": {}}[path.suffix]
    try:
        with matplotlib.rc_context({"svg.hashsalt": "zsim", "pdf.fonttype": 42}), replacing(path) as part:
            figure.savefig(part, format=path.suffix[1:], metadata=date, dpi=150)
    except OSError as error:
        raise ZsimError(f"{path}: {error.strerror or error}") from None
