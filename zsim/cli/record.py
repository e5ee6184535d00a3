"""`zsim record`: run a program and record what it does with its pages."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zsim.errors import UsageError
from zsim.units import format_bytes, parse_bytes, parse_ns

if TYPE_CHECKING:
    from zsim.record import Job


SHARE_UNIT = 1_000_000


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--output", "-o", metavar="NAME", help="Name of the recording.  [default: that of the program]")
@click.option(
    "--min-memory", default="25%", show_default=True, help="Smallest memory to be simulated: 64M, or a share."
)
@click.option("--via", default="ptrace", show_default=True, metavar="ptrace|lackey|wp", help="How accesses are seen.")
@click.option("--sizes-only", is_flag=True, help="Keep compressed sizes, no page images.")
@click.option("--no-content", is_flag=True, help="Keep neither images nor sizes.")
@click.option("--images-of", type=click.IntRange(1), default=1, metavar="N", help="Keep the images of one page in N.")
@click.option("--no-file-calls", is_flag=True, help="Leave out what read and write calls do to the page cache.")
@click.option("--env", "keep", multiple=True, metavar="NAME[=VALUE]", help='A variable to keep or set; "*" keeps all.')
@click.option("--cpu-time", metavar="TIME", help='CPU time of an untraced run ("0.4s"); "measure" runs it again.')
@click.option("--force", is_flag=True, help="Replace an existing recording.")
@click.option("--quiet", "-q", is_flag=True, help="Only errors on stderr.")
@click.option("--json", "as_json", is_flag=True, help="The recording's notes as one JSON object on stderr.")
def record(command: tuple[str, ...], quiet: bool, as_json: bool, **options: Any) -> None:
    """Run COMMAND and record its page accesses and contents as the recording NAME, for `zsim replay NAME`.

    The program's output, input and exit status are its own. It gets PATH, LANG, LC_*, TERM and TZ of the environment
    and nothing else, since page images hold what its memory holds, variables and all.
    """
    from zsim.record import check
    from zsim.record import record as run
    from zsim.record.launch import cpu_ns_untraced
    from zsim.record.progress import Progress

    job = _job(command, options)
    base = options["output"] or Path(command[0]).name
    check(job, base, options["via"], options["force"])
    given = options["cpu_time"]
    cpu_ns = None if given is None else cpu_ns_untraced(job) if given == "measure" else parse_ns(given)
    if not quiet:
        click.echo(_warning(base, options), err=True)
    progress = None if quiet else Progress()
    how = {"via": options["via"], "pages_in": options["images_of"], "force": options["force"]}
    status, notes = run(job, base, cpu_ns=cpu_ns, progress=progress, **how)
    if progress is not None:
        progress.clear()
    if as_json:
        click.echo(json.dumps({"schema": 1, "path": base, **notes}), err=True)
    elif not quiet:
        click.echo(_summary(base, notes), err=True)
    sys.exit(status)


def _job(command: tuple[str, ...], options: dict[str, Any]) -> "Job":
    from zsim.record import Job, Limit
    from zsim.record.launch import environment, find_program

    environ = environment(options["keep"])
    memory = options["min_memory"]
    size = parse_bytes(memory, SHARE_UNIT)
    if not size:
        raise UsageError(f"--min-memory {memory}: expected a size or a share above 0")
    limit = Limit(share=size / SHARE_UNIT) if memory.rstrip().endswith(("%", "x")) else Limit(size)
    content = "none" if options["no_content"] else "sizes" if options["sizes_only"] else "images"
    path = find_program(command[0], environ)
    return Job(path, list(command), environ, limit, content, not options["no_file_calls"])


def _warning(base: str, options: dict[str, Any]) -> str:
    if options["no_content"] or options["sizes_only"]:
        return f"zsim: recording {base}; no page images are kept; command line and file names are"
    kept = "its arguments, variables and whatever secrets it handles"
    return f"zsim: recording {base}; {base}.pages.zst will hold the program's memory: {kept} (--sizes-only: no images)"


def _summary(base: str, notes: dict[str, Any]) -> str:
    pages, least = notes["distinct_pages"], notes["min_memory_pages"]
    tasks = f"{notes['tasks']} task{'s' * (notes['tasks'] != 1)}"
    first = f"{base}: {notes['rows']:,} accesses to {pages:,} pages ({format_bytes(pages * 4096)}), {tasks}"
    valid = f"valid from {least:,} pages of memory ({format_bytes(least * 4096)})"
    images = f"images {notes['images_captured']:,} seen, {notes['image_versions']:,} different and kept"
    cost = f"{notes['recording_s']} s for {notes['native_cpu_ms']} ms of CPU ({notes['native_cpu']})"
    return f"zsim: {first}; {valid}; {images}; {cost}"
