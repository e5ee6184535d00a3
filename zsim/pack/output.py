"""What `zsim pack` prints and writes: tables, pack.json, density.csv and figures."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from zsim.errors import ResultError, UsageError
from zsim.files import refuse_overwrite, replacing
from zsim.pack.result import SCHEMA, PackResult, Reclaim, quantile
from zsim.units import format_ns

Density = Mapping[str, Sequence[tuple[int, float]]]

POOL = ("allocator", "pages", "peak", "objects", "refused", "density", "stored", "internal", "external")
SHARES = ("utilization", "internal_fragmentation", "external_fragmentation")
RECLAIM = ("reclaim", "by", "calls", "failed", "pages", "evictions", "per page", "a call p50", "p99", "max")
OCCUPANCY = ("pages", "objects", "room for")


def document(results: Sequence[PackResult]) -> str:
    """The one JSON object of a run."""
    return json.dumps({"schema": SCHEMA, "runs": [result.to_json() for result in results]})


def density_document(density: Density) -> str:
    """The one JSON object of the density figure."""
    return json.dumps({"schema": SCHEMA, "density": density})


def report(results: Sequence[PackResult], occupancy: bool) -> str:
    """A table of the pools, one of what reclaim cost where there was some, and the allocators' own lists if asked."""
    tables = [table(POOL, [_pool_row(result) for result in results])]
    tables += ["\n".join(_compactions(results))] if any(result.compactions for result in results) else []
    reclaims = [(result.allocator, result.reclaim) for result in results if result.reclaim]
    if reclaims:
        device = f"time p50 ({reclaims[0][1].device})" if reclaims[0][1].device else "time p50"
        header = (*RECLAIM, device, "p99", "max")
        tables.append(table(header, [_reclaim_row(name, reclaim) for name, reclaim in reclaims]))
    if occupancy:
        tables += [
            table((result.allocator, *OCCUPANCY), [[str(value) for value in row.values()] for row in result.occupancy])
            for result in results
        ]
    return "\n\n".join(tables)


TOLD_BYTES = (256, 512, 1024, 1536, 2048, 2304, 2688, 3072, 3584, 4096)
"""Object sizes the density table tells; the CSV beside the figure has them all."""


def density_report(density: Density) -> str:
    """Objects per page frame of each allocator at a few sizes; "-" where it refuses them."""
    known = [size for size, _ in max(density.values(), key=len)]
    sizes = sorted({min(known, key=lambda size: abs(size - told)) for told in TOLD_BYTES})
    rows = []
    for name, points in density.items():
        by_size = dict(points)
        rows.append([name, *(f"{by_size[size]:.2f}" if by_size.get(size) else "-" for size in sizes)])
    return table(("objects per frame at", *(f"{size} B" for size in sizes)), rows)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they need, the first to the left."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = []
    for first, *others in (header, *rows):
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *cells]))
    return "\n".join(lines)


def _pool_row(result: PackResult) -> list[str]:
    final = result.final
    density = "-" if final["density"] is None else f"{final['density']:.3f}"
    counts = (final["pages"], final["peak_pages"], final["live"], result.refused)
    shares = ("-" if final[key] is None else f"{final[key]:.1%}" for key in SHARES)
    return [result.allocator, *map(str, counts), density, *shares]


def _compactions(results: Sequence[PackResult]) -> Iterator[str]:
    for result in results:
        for done in result.compactions:
            yield f"{result.allocator}: compact at row {done['op']}: {done['before']} > {done['after']} pages"


def _reclaim_row(name: str, reclaim: Reclaim) -> list[str]:
    summary, needed, needed_ns = reclaim.summary(), reclaim.needed(), reclaim.needed_ns()
    failed = " ".join(f"{count} {error}" for error, count in summary["errors"].items()) or "0"
    per_page = summary["evictions_per_freed_page"]
    return [
        name,
        reclaim.by,
        str(summary["calls"]),
        failed,
        str(summary["freed_pages"]),
        str(summary["evictions"]),
        "-" if per_page is None else f"{per_page:.2f}",
        *("-" if not needed else str(quantile(needed, q)) for q in (0.5, 0.99, 1)),
        *("-" if not needed_ns else format_ns(quantile(needed_ns, q) or 0) for q in (0.5, 0.99, 1)),
    ]


def write_results(
    folder: Path, results: Sequence[PackResult], suffix: str, only: str | None, force: bool
) -> list[Path]:
    """pack.json, and the figures there is something to draw for, or `only` one of them; the files written."""
    figures = {f"{name}.{suffix}": figure for name, figure in _figures(results) if only in (None, name)}
    if only and not figures:
        raise UsageError(f"--figure {only}: {NOTHING[only]}")
    return _write(folder, {"pack.json": document(results) + "\n", **figures}, force)


NOTHING = {
    "map": "no pool is small enough; give fewer objects (at most 64 page frames)",
    "evictions": "nothing was reclaimed; the sequence needs r rows",
}


def _figures(results: Sequence[PackResult]) -> Iterator[tuple[str, Any]]:
    from zsim.pack.figures import evictions_figure, pages_figure
    from zsim.pack.map import map_figure

    yield "pages", pages_figure(results)
    if any(result.reclaim and result.reclaim.needed() for result in results):
        yield "evictions", evictions_figure(results)
    small = [result for result in results if result.extents]
    if small:
        yield "map", map_figure(small)


def write_density(folder: Path, density: Density, suffix: str, force: bool) -> list[Path]:
    """density.csv and the figure; the files written."""
    from zsim.pack.figures import density_figure

    rows = [f"{name},{size_bytes},{value:.6f}\n" for name, points in density.items() for size_bytes, value in points]
    text = "allocator,size_bytes,objects_per_page\n" + "".join(rows)
    return _write(folder, {"density.csv": text, f"density.{suffix}": density_figure(density)}, force)


def check_output(folder: Path, name: str, force: bool) -> None:
    """Refuse before the work what could not be written after it."""
    if folder.is_dir():
        refuse_overwrite(folder / name, force)
    elif folder.exists():
        raise UsageError(f"{folder} is a file; expected a directory to write to")


def _write(folder: Path, contents: Mapping[str, Any], force: bool) -> list[Path]:
    from zsim.style import form_of, write_figure

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResultError(f"{folder}: {error.strerror}") from None
    paths = [folder / name for name in contents]
    for path in paths:
        refuse_overwrite(path, force)
    for path, content in zip(paths, contents.values(), strict=True):
        if isinstance(content, str):
            with replacing(path) as part:
                part.write_text(content)
        else:
            with replacing(path) as part:
                write_figure(content, part, form_of(path))
    return paths
