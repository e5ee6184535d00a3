"""`zsim trace`: look at, convert and generate traces."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from zsim.traces import open_trace
from zsim.traces.convert import Progress, convert, write_pattern
from zsim.traces.generate import KINDS, Pattern, table
from zsim.traces.reduce import METHODS, reduced
from zsim.units import PAGE_SIZE, format_bytes, format_ns, parse_bytes

DEFAULTS = Pattern("loop")
ORIGINS = {
    "command": "recorded",
    "imported": "imported from",
    "generated": "generated",
    "synthetic": "made up from",
    "seed": "seed",
    "reduced": "reduced",
    "k": "batches of pages",
}


class Count(click.ParamType):  # type: ignore[type-arg, unused-ignore]  # generic since click 8.2
    """A number of things, with k, M or G for thousands, millions and so on ("20M")."""

    name = "count"
    scales = {"k": 10**3, "m": 10**6, "g": 10**9}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number as an int."""
        text = str(value).strip().lower().replace("_", "")
        number, scale = (text[:-1], self.scales[text[-1]]) if text[-1:] in self.scales else (text, 1)
        try:
            count = float(number) * scale
        except ValueError:
            count = -1
        if count < 1 or count != int(count):
            self.fail(f"{value!r} is not a whole number of at least 1 (write 20000, 20k, 1.5M)", param, ctx)
        return int(count)


@click.group()
def trace() -> None:
    """Look at, convert and generate traces."""


@trace.command()
@click.argument("path", metavar="TRACE")
@click.option("--compressor", "-c", "compressors", multiple=True, help="Repeat for several.  [default: lz4, zstd]")
@click.option("--limit", type=Count(), help="Only the first so many accesses.")
@click.option("--plot", "figure", type=click.Path(path_type=Path), help="Draw page over time (.svg, .pdf, .png).")
@click.option("--force", is_flag=True, help="Replace an existing figure.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def info(
    path: str, compressors: tuple[str, ...], limit: int | None, figure: Path | None, force: bool, as_json: bool
) -> None:
    """What a trace is like: size, mix, reuse, working set over time, compressibility, and a picture."""
    from zsim.contents import load_contents
    from zsim.files import refuse_overwrite
    from zsim.traces.info import describe
    from zsim.traces.picture import as_text, check_name, plot

    if figure is not None:
        check_name(figure)
        refuse_overwrite(figure, force)
    opened = open_trace(path, limit)
    said = describe(opened, {name: load_contents(opened, name) for name in compressors or ("lz4", "zstd")})
    click.echo(json.dumps(said) if as_json else f"{_table(said)}\n\npage over time\n{_framed(as_text(opened))}")
    if figure is not None:
        plot(opened, figure)


@trace.command("convert")
@click.argument("source")
@click.argument("target")
@click.option("--from", "format", metavar="FORMAT", help="Of SOURCE (zsim list formats).  [default: by what it holds]")
@click.option("--to", metavar="FORMAT", help="Of TARGET: csv, columnar, oracleGeneral.  [default: by its name]")
@click.option("--limit", type=Count(), help="Only the first so many accesses.")
@click.option("--no-images", is_flag=True, help="Leave page images and sizes behind.")
@click.option("--force", is_flag=True, help="Replace existing files.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def convert_(source: str, target: str, no_images: bool, as_json: bool, **options: Any) -> None:
    """Write the trace SOURCE, of any format, as TARGET.

    TARGET is .csv, .csv.gz, .csv.zst, .trace.parquet or .oracleGeneral.bin; "-" is stdin, or CSV on stdout. Images and
    notes of a recording go along where TARGET has another name.
    """
    done = convert(source, target, carry_images=not no_images, progress=_progress(), **options)
    if "synthetic" in done.header:
        click.echo(f"made up from {done.header['synthetic']}: accesses like these, not these, took place", err=True)
    _say_written(target, done.accesses, as_json, pages=done.footprint_pages, digest=done.digest)


@trace.command("reduce")
@click.argument("source")
@click.argument("target")
@click.option("--min-memory", metavar="SIZE", help="Smallest memory that the result is for, such as 64M.")
@click.option("--pages", type=Count(), help="The same in pages.")
@click.option("--method", type=click.Choice(METHODS), default="sad", show_default=True)
@click.option("--from", "format", metavar="FORMAT", help="Of SOURCE (zsim list formats).  [default: by what it holds]")
@click.option("--force", is_flag=True, help="Replace existing files.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def reduce_(
    source: str, target: str, min_memory: str | None, pages: int | None, method: str, as_json: bool, **options: Any
) -> None:
    """Write SOURCE as TARGET without the accesses that matter in no memory above a threshold.

    sad: LRU faults are the same in every memory of at least so many pages. batches: first touches and first writes of
    batches of a quarter as many pages; shorter, and off by at most that.
    """
    least = _least_pages(min_memory, pages)
    done = convert(source, target, change=lambda table: reduced(table, least, method), progress=_progress(), **options)
    _say_written(target, done.accesses, as_json, pages=done.footprint_pages, digest=done.digest)


@trace.command()
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.option("--output", "-o", required=True, help='Where to: .csv, .csv.gz, .csv.zst, .trace.parquet; "-": stdout.')
@click.option("--pages", type=Count(), default=DEFAULTS.pages, show_default=True, help="Distinct pages.")
@click.option("--accesses", "-n", type=Count(), default=DEFAULTS.accesses, show_default=True, help="Rows.")
@click.option("--write-share", type=click.FloatRange(0, 1), default=DEFAULTS.write_share, show_default=True)
@click.option("--alpha", type=click.FloatRange(0), default=DEFAULTS.alpha, show_default=True, help="zipf: skew.")
@click.option("--phases", type=click.IntRange(1), default=DEFAULTS.phases, show_default=True, help="phase: how many.")
@click.option("--hot-pages", type=click.FloatRange(0, 1), default=DEFAULTS.hot_pages, show_default=True)
@click.option("--hot-accesses", type=click.FloatRange(0, 1), default=DEFAULTS.hot_accesses, show_default=True)
@click.option("--interval-ns", type=click.IntRange(0), default=0, help="Time between accesses; 0: no times.")
@click.option("--seed", type=click.IntRange(0), default=DEFAULTS.seed, show_default=True)
@click.option("--force", is_flag=True, help="Replace an existing file.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def generate(kind: str, output: str, force: bool, as_json: bool, **figures: Any) -> None:
    """Make a trace of a known behaviour: loop, zipf, uniform, phase or hotcold; the same seed, the same trace."""
    rows = write_pattern(table(Pattern(kind, **figures)), output, force, _progress())
    _say_written(output, rows, as_json, pages=figures["pages"])


def _least_pages(min_memory: str | None, pages: int | None) -> int:
    if (min_memory is None) == (pages is None):
        raise click.UsageError("expected one of --min-memory SIZE and --pages K")
    return pages or parse_bytes(str(min_memory)) // PAGE_SIZE


def _progress() -> Progress | None:
    """A counter on stderr where that is a terminal."""
    if not sys.stderr.isatty():
        return None
    return lambda rows: click.echo(f"\r{rows:,} accesses", err=True, nl=False)


def _say_written(path: str, accesses: int, as_json: bool, **more: Any) -> None:
    if sys.stderr.isatty():
        click.echo("\r", err=True, nl=False)
    if path == "-":  # stdout has the trace
        return
    if as_json:
        click.echo(json.dumps({"schema": 1, "path": path, "accesses": accesses, **more}))
    else:
        click.echo(f"{path}: {accesses:,} accesses, {more['pages']:,} pages")


def _table(said: dict[str, Any]) -> str:
    lines = [*_size(said), *_tasks(said["tasks"]), *_reuse(said), *_contents(said)]
    return "\n".join(f"{name:<22}{value}".rstrip() for name, value in lines)


def _size(said: dict[str, Any]) -> list[tuple[str, str]]:
    least = said["min_memory_pages"]
    lines = [
        ("trace", f"{said['name']}  ({said['digest'][:12]})"),
        ("accesses", f"{said['accesses']:,}, {said['write_share']:.1%} writes"),
        ("footprint", f"{said['footprint_pages']:,} pages ({format_bytes(said['footprint_bytes'])})"),
        ("pages", f"{said['anon_pages']:,} anon, {said['file_pages']:,} file; {said['written_pages']:,} written"),
    ]
    lines += [(ORIGINS[name], str(value)) for name, value in said["origin"].items() if name in ORIGINS]
    if said["remapped_pages"]:
        lines.append(("remapped", f"{said['remapped_pages']:,} pages came back as the other kind of memory"))
    if least:
        lines.append(("valid from", f"{least:,} pages of memory ({format_bytes(least * 4096)})"))
    return lines


def _tasks(tasks: list[dict[str, Any]]) -> list[tuple[str, str]]:
    lines = [(f"task {task['name']}", _task(task)) for task in tasks[:8]]
    return lines if len(tasks) <= 8 else [*lines, ("", f"and {len(tasks) - 8:,} more tasks")]


def _task(task: dict[str, Any]) -> str:
    text = f"{task['accesses']:,} accesses, {task['pages']:,} pages"
    return text if task["runtime_ns"] is None else f"{text}, {format_ns(task['runtime_ns'])} without stalls"


def _reuse(said: dict[str, Any]) -> list[tuple[str, str]]:
    reuse = said["reuse"]
    far = ", ".join(f"{name} {pages:,}" for name, pages in reuse["distance_pages"].items() if pages is not None)
    sampled = "" if reuse["sampled_share"] == 1 else f"  (of a sample of {reuse['sampled_share']:.2%} of the pages)"
    lines = [("reuse distance, pages", (far or "no page is used again") + sampled)]
    for row in reuse["lru"]:
        text = f"{row['refaults']:,} refaults, miss ratio {row['miss_ratio']:.2%}"
        lines.append((f"LRU at {row['memory_percent']} %", f"{text}  ({row['memory_pages']:,} pages)"))
    tenths = " ".join(f"{pages:,}" for pages in said["working_set_pages"])
    return [*lines, ("pages in each tenth", tenths)]


def _contents(said: dict[str, Any]) -> list[tuple[str, str]]:
    images = said["images"]
    have = "none; drawn from measured pages" if images is None else f"{images['count']:,}"
    lines = [("images", have if images is None else f"{have}, {images['with_bytes']:,} with their bytes")]
    for row in said["compressibility"]:
        lines.append((f"under {row['compressor']}", _ratio(row)))
    return lines


def _ratio(row: dict[str, Any]) -> str:
    if row["ratio"] is None:
        return "all same-filled"
    shares = f"same-filled {row['same_filled_share']:.1%}, does not fit {row['does_not_fit_share']:.1%}"
    return f"ratio {row['ratio']:.2f}, median {row['median_bytes']:,} bytes, {shares}, drawn {row['drawn_share']:.1%}"


def _framed(picture: str) -> str:
    lines = picture.split("\n")
    width = max(map(len, lines))
    edge = f"+{'-' * width}+"
    return "\n".join([edge, *(f"|{line:<{width}}|" for line in lines), edge])
