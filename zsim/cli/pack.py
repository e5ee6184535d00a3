"""`zsim pack`: an allocator alone over an alloc/free sequence."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from zsim.allocators import ALLOCATORS
from zsim.errors import UsageError
from zsim.pack import PackRun, density_by_size, full_name
from zsim.pack import pack as run_all
from zsim.pack.cost import DEBATE, time_reclaims
from zsim.pack.output import (
    check_output,
    density_document,
    density_report,
    document,
    report,
    write_density,
    write_results,
)
from zsim.pack.patterns import generate
from zsim.pack.result import PackResult
from zsim.pack.sequence import Row, place_of, read_sequence, write_sequence

COMPARED = ("zbud", "z3fold", "zsmalloc")
DEFAULTS = {"evictions": ("reclaim:lz4", 100_000, DEBATE), "map": ("few", 30, COMPARED)}
"""What a figure is drawn from where nothing is given: sequence, rows, allocators."""
FOLDER = Path("results/pack")


@dataclass
class Options:
    """The command line as given."""

    sequence: str | None
    allocators: tuple[str, ...]
    every: int
    dist: str | None
    ops: int | None
    seed: int
    chain_size: int
    reclaim: str
    device: str
    compressor: str
    figure: str | None
    occupancy: bool
    as_json: bool
    folder: Path | None
    suffix: str
    force: bool


@click.command(
    epilog="Examples: zsim pack seq.csv.gz --allocator zbud --allocator zsmalloc@6.12; zsim pack --figure density"
)
@click.argument("sequence", required=False)
@click.option("--allocator", "-a", "allocators", multiple=True, metavar="NAME[@KERNEL]", help="Repeat to compare.")
@click.option("--every", default=500, show_default=True, type=click.IntRange(1), help="Rows between checkpoints.")
@click.option(
    "--generate", "dist", metavar="DIST", help="Make the sequence: lz4, uniform, churn:zstd, adversarial:zbud..."
)
@click.option("--ops", type=click.IntRange(1), help="Rows to generate.  [default: 20000]")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="Of the generated sequence.")
@click.option("--chain-size", default=0, type=click.IntRange(0), help="zsmalloc: most pages of a zspage.")
@click.option("--reclaim", default="auto", show_default=True, type=click.Choice(["auto", "allocator", "entry-lru"]),
              help="Who chooses what an r row evicts; auto: as zswap of that kernel did.")  # fmt: skip
@click.option("--device", default="nvme", show_default=True, help="What evicted pages are written to.")
@click.option("--compressor", default="lz4", show_default=True, help="What they are decompressed with.")
@click.option(
    "--figure", type=click.Choice(["density", "evictions", "map"]), help="Draw one, from defaults if need be."
)
@click.option("--occupancy", is_flag=True, help="Print each allocator's own lists or size classes.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
@click.option(
    "--output", "-o", "folder", type=click.Path(path_type=Path), metavar="DIR", help="Write results and figures there."
)
@click.option("--format", "suffix", default="svg", show_default=True, type=click.Choice(["svg", "png", "pdf"]))
@click.option("--force", is_flag=True, help="Replace files in DIR.")
def pack(**given: Any) -> None:
    """Run allocators alone over SEQUENCE, a CSV of op,id,size (.gz and .zst too, - for stdin).

    op is a (alloc), f (free), c (compact) or r (reclaim a page). With --generate and nothing else asked for, the
    sequence is printed.
    """
    options = Options(**given)
    if options.figure == "density":
        draw_density(options)
    elif options.dist and not (
        options.sequence or options.allocators or options.as_json or options.folder or options.figure
    ):
        write_sequence(generate(options.dist, options.ops or 20_000, options.seed), sys.stdout)
    else:
        compare(options)


def compare(options: Options) -> None:
    """Run every allocator over the sequence; print, and write what was asked for."""
    dist, ops, allocators = DEFAULTS.get(options.figure or "", (None, 20_000, COMPARED))
    rows = rows_of(
        options.sequence, options.dist or (None if options.sequence else dist), options.ops or ops, options.seed
    )
    folder = options.folder or (FOLDER if options.figure else None)
    if folder:
        check_output(folder, "pack.json", options.force)
    results = run(options, rows, options.allocators or allocators)
    if folder:
        say_written(write_results(folder, results, options.suffix, options.figure, options.force))
    click.echo(document(results) if options.as_json else report(results, options.occupancy))


def rows_of(sequence: str | None, dist: str | None, ops: int, seed: int) -> Iterable[Row]:
    """The rows of the file, or the generated ones."""
    if sequence and dist:
        raise UsageError("give a SEQUENCE or --generate DIST, not both")
    if sequence:
        return read_sequence(sequence)
    if not dist:
        raise UsageError("nothing to run; give a SEQUENCE (CSV of op,id,size) or --generate DIST")
    return generate(dist, ops, seed)


def run(options: Options, rows: Iterable[Row], names: Sequence[str]) -> list[PackResult]:
    """Every allocator over the rows, with what its reclaims would take on the device."""
    place = place_of(options.sequence) if options.sequence else "sequence"
    unique = dict.fromkeys(full_name(name) for name in names)
    runs = [PackRun(name, options.every, options.chain_size, options.reclaim, place) for name in unique]
    results = run_all(rows, runs)
    time_reclaims(results, options.device, options.compressor, options.seed)
    return results


def draw_density(options: Options) -> None:
    """The density figure, of all allocators if none is named; zsmalloc with short and long chains."""
    if options.sequence or options.dist:
        raise UsageError("--figure density fills pools with objects of one size; it takes no sequence")
    folder = options.folder or FOLDER
    check_output(folder, "density.csv", options.force)
    density = density_by_size(options.allocators or [*ALLOCATORS.names(), "zsmalloc@6.12"])
    click.echo(density_document(density) if options.as_json else density_report(density))
    say_written(write_density(folder, density, options.suffix, options.force))


def say_written(paths: Iterable[Path]) -> None:
    """The files, on stderr."""
    for path in paths:
        click.echo(f"wrote {path}", err=True)
