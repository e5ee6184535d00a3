"""`zsim record`: run a program and record what it does with its pages."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from zsim.registry import suggestion
from zsim.units import format_bytes, parse_bytes, parse_ns

WAYS = ("ptrace", "lackey", "wp")


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--output", "-o", metavar="NAME", help="Name of the recording.  [default: that of the program]")
@click.option(
    "--min-memory", default="25%", show_default=True, help="Smallest memory to be simulated: 64M, or a share."
)
@click.option("--via", default="ptrace", show_default=True, metavar="|".join(WAYS), help="How accesses are seen.")
@click.option("--sizes-only", is_flag=True, help="Keep compressed sizes, no page images.")
@click.option("--no-content", is_flag=True, help="Keep neither images nor sizes.")
@click.option("--images-of", type=click.IntRange(1), default=1, metavar="N", help="Keep the images of one page in N.")
@click.option("--no-file-calls", is_flag=True, help="Leave out what read and write calls do to the page cache.")
@click.option("--env", "keep", multiple=True, metavar="NAME[=VALUE]", help='A variable to keep or set; "*" keeps all.')
@click.option("--cpu-time", metavar="TIME", help='CPU time of an untraced run ("0.4s"); "measure" runs it once more.')
@click.option("--force", is_flag=True, help="Replace an existing recording.")
@click.option("--quiet", "-q", is_flag=True, help="Only errors on stderr.")
@click.option("--json", "as_json", is_flag=True, help="The recording's notes as one JSON object on stderr.")
def record(command: tuple[str, ...], quiet: bool, as_json: bool, **options: Any) -> None:
    """Run COMMAND and record its page accesses and contents as the recording NAME, for `zsim replay NAME`.

    The program's output, input and exit status are its own. It gets PATH, LANG, LC_*, TERM and TZ of the environment
    and nothing else, since page images hold what its memory holds, variables and all.
    """
    from zsim.record.progress import Progress

    progress = None if quiet else Progress()
    base = options["output"] or Path(command[0]).name
    if not quiet:
        click.echo(_warning(base, options), err=True)
    status, notes = _record(command, base, options, progress)
    if progress is not None:
        progress.clear()
    if as_json:
        click.echo(json.dumps({"schema": 1, "path": base, **notes}), err=True)
    elif not quiet:
        click.echo(_summary(base, notes), err=True)
    sys.exit(status)


def _record(command: tuple[str, ...], base: str, options: dict[str, Any], progress: Any) -> tuple[int, dict[str, Any]]:
    from zsim.record import Job, Limit
    from zsim.record import record as run
    from zsim.record.launch import cpu_ns_untraced, environment, find_program

    if options["via"] not in WAYS:
        raise click.UsageError(f"no way of recording {options['via']!r}{suggestion(options['via'], list(WAYS))}")
    environ = environment(options["keep"])
    path = find_program(command[0], environ)
    memory = options["min_memory"]
    share = parse_bytes(memory, 1_000_000) / 1_000_000 if memory.rstrip().endswith(("%", "x")) else 0.0
    limit = Limit(share=share) if share else Limit(parse_bytes(memory))
    content = "none" if options["no_content"] else "sizes" if options["sizes_only"] else "images"
    job = Job(path, list(command), environ, limit, content, not options["no_file_calls"])
    given = options["cpu_time"]
    cpu_ns = (
        None
        if given is None
        else cpu_ns_untraced(path, job.command, environ)
        if given == "measure"
        else parse_ns(given)
    )
    more = {"pages_in": options["images_of"], "force": options["force"], "cpu_ns": cpu_ns, "progress": progress}
    return run(job, base, via=options["via"], **more)


def _warning(base: str, options: dict[str, Any]) -> str:
    kept = "the environment, command line and whatever secrets are in it"
    if options["no_content"] or options["sizes_only"]:
        return f"zsim: recording {base}; no page images are kept, file names are"
    return f"zsim: recording {base}; {base}.pages.zst will hold the program's memory: {kept} (--sizes-only: no images)"


def _summary(base: str, notes: dict[str, Any]) -> str:
    pages, least = notes["distinct_pages"], notes["min_memory_pages"]
    first = (
        f"{base}: {notes['rows']:,} accesses to {pages:,} pages ({format_bytes(pages * 4096)}), {notes['tasks']} tasks"
    )
    valid = f"valid from {least:,} pages of memory ({format_bytes(least * 4096)})"
    images = f"images {notes['images_captured']:,} seen, {notes['image_versions']:,} different and kept"
    cost = f"{notes['recording_s']} s for {notes['native_cpu_ms']} ms of CPU ({notes['native_cpu']})"
    return f"zsim: {first}; {valid}; {images}; {cost}"
