"""The advice in words: what was found, what it saves and costs, how sure that is, and what to paste."""

from collections.abc import Sequence
from typing import Any

from zsim.advise import WORTH, Advice, Tried, ranked
from zsim.kernelsettings import kernel_settings
from zsim.tabletext import aligned, columns
from zsim.units import PAGE_SIZE, format_bytes, format_ns

OOM = "out of memory"
VALIDATED_ERAS = ("6.1", "6.12")
SHOWN = 8
DRAWN_MUCH = 0.1
SMALL_BYTES = 256 << 20


def text(advice: Advice) -> str:
    """What a person reads."""
    parts = (_question, _answer, _ranking, _sure, _paste)
    return "\n\n".join("\n".join(part(advice)) for part in parts) + "\n"


def as_json(advice: Advice) -> dict[str, Any]:
    """`tried` fastest first, `front` by name, `smallest_bytes` per candidate searched for, the lines to paste."""
    settings = kernel_settings(advice.best.config, advice.trace.footprint_pages)
    return {
        "schema": 1,
        "trace": advice.trace.name,
        "memory_bytes": advice.memory_bytes,
        "limit": advice.limit,
        "best": advice.best.candidate.name,
        "settings": dict(advice.best.candidate.settings),
        "tried": [_row(tried) for tried in ranked(advice.tried)],
        "front": [tried.candidate.name for tried in advice.front()],
        "sizes": {name: [_row(tried) for tried in tried_at] for name, tried_at in advice.by_size.items()},
        "smallest_bytes": {name: advice.smallest_bytes(name) for name in advice.by_size},
        "cmdline": list(settings.cmdline),
        "shell": list(settings.shell),
    }


def _row(tried: Tried) -> dict[str, Any]:
    names = (
        "pgmajfault",
        "major_store",
        "major_device",
        "pswpin",
        "pswpout",
        "pool_pages_peak",
        "compress_ns",
        "decompress_ns",
    )
    own = {"name": tried.candidate.name, "memory_bytes": tried.memory_bytes, "slowdown": tried.slowdown}
    return own | {"gained_pages": tried.gained_pages} | {name: tried.result.metrics[name] for name in names}


def _question(advice: Advice) -> list[str]:
    trace, plain = advice.trace, advice.plain
    swap = plain.config.swap.device
    return aligned(
        [
            ("trace", f"{trace.name}: {trace.accesses:,} accesses, {_pages(trace.footprint_pages)} touched"),
            ("machine", f"{format_bytes(advice.memory_bytes)} of RAM, swap on {swap}, kernel {plain.config.era}"),
            ("without compression", _outcome(plain)),
        ]
    )


def _outcome(tried: Tried) -> str:
    count = tried.result.metrics
    if tried.slowdown is None:
        return OOM
    return (
        f"{_times(tried.slowdown)} as with memory in plenty; {count['pgmajfault']:,} major faults, "
        f"{count['pswpin']:,} swap reads, {count['pswpout']:,} swap writes"
    )


def _times(slowdown: float) -> str:
    return "as fast" if slowdown < 1.0005 else f"{slowdown:.3g} times as long"


def _answer(advice: Advice) -> list[str]:
    best = advice.best
    if best is advice.plain:
        better = "does with less memory" if advice.asked else "is faster at this size"
        better += f" by {WORTH:.0%} or more"
        lines = [("recommended", f"leave it off: none of {len(advice.tried) - 1} settings {better}")]
    else:
        lines = [("recommended", best.candidate.name), ("with it", _outcome(best)), ("it costs", _costs(best))]
    return [*aligned(lines), "", *_least(advice)]


def _costs(tried: Tried) -> str:
    count = tried.result.metrics
    work_ns = int(count["compress_ns"] or 0) + int(count["decompress_ns"] or 0)
    share = work_ns / int(count["runtime_ns"] or 1)
    pool, stored = int(count["pool_pages_peak"] or 0), int(count["stored_pages_peak"] or 0)
    return (
        f"{format_ns(work_ns)} of processor time ({share:.1%} of the runtime); at its peak the pool holds "
        f"{_pages(stored)} in {_pages(pool)}"
    )


def _least(advice: Advice) -> list[str]:
    """How little memory keeps within the limit, without and with compression."""
    sizes = {name: advice.smallest_bytes(name) for name in advice.by_size}
    plain = sizes[advice.plain.candidate.name]
    rows = [(f"  {name}", _size(size) + _saving(plain, size)) for name, size in sizes.items()]
    return [f"Least memory for a slowdown of at most {advice.limit:.3g}:", *aligned(rows)]


def _size(size: int | None) -> str:
    return "none of the sizes tried will do" if size is None else format_bytes(size)


def _saving(plain: int | None, size: int | None) -> str:
    if plain is None or size is None or size == plain:
        return ""
    word = "less" if size <= plain else "more"
    return f" ({format_bytes(abs(plain - size))} {word}, {abs(plain - size) / plain:.0%})"


def _ranking(advice: Advice) -> list[str]:
    front = advice.front()
    head = ("setting", "slowdown", "from the pool", "from a device", "RAM gained", "on the front")
    rows = [head]
    for tried in ranked(advice.tried)[:SHOWN]:
        count = tried.result.metrics
        rows.append(
            (
                tried.candidate.name,
                OOM if tried.slowdown is None else f"{tried.slowdown:.4g}",
                f"{count['major_store']:,}",
                f"{count['major_device']:,}",
                format_bytes(tried.gained_pages * PAGE_SIZE),
                "*" if tried in front else "",
            )
        )
    left = len(advice.tried) - SHOWN
    return [*columns(rows, {"setting"}), *([f"  and {left} that were slower"] if left > 0 else [])]


def _sure(advice: Advice) -> list[str]:
    return [
        "How sure is this? It is one recorded run of this program, replayed. Another input, another machine, other",
        f"programs beside it are not in it. A difference of less than {WORTH:.0%} is within what the model can tell.",
        *_reservations(advice),
    ]


def _reservations(advice: Advice) -> Sequence[str]:
    trace, best = advice.trace, advice.best
    k, least = trace.header.get("k"), trace.header.get("min_memory_pages")
    era = best.config.era
    notes = []
    if advice.memory_bytes < SMALL_BYTES:
        notes.append("In a pool this small zsmalloc's many classes are filled in part; in a large one it packs better.")
    if k:
        notes.append(
            f"The recording keeps first touches per {k:,} pages (K): valid from {_pages(int(least or k))} resident."
        )
    if era in VALIDATED_ERAS:
        notes.append(f"The model of {era} was held to recorded runs of that kernel (zsim validate); zram was not.")
    else:
        notes.append(f"The model of {era} follows its source; recorded runs exist for {' and '.join(VALIDATED_ERAS)}.")
    drawn = best.result.metrics["drawn_share"]
    if drawn and drawn > DRAWN_MUCH:
        notes.append(
            f"{drawn:.0%} of the page contents had no image; their sizes were drawn from other programs' pages."
        )
    return notes


def _paste(advice: Advice) -> list[str]:
    settings = kernel_settings(advice.best.config, advice.trace.footprint_pages)
    return [
        "To set it for now, as root:",
        *(f"  {line}" for line in settings.shell),
        "At every boot, on the kernel command line:",
        f"  {' '.join(settings.cmdline)}",
    ]


def _pages(pages: int) -> str:
    return format_bytes(pages * PAGE_SIZE)
