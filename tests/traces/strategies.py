"""Random small traces, as rows in plain Python, and a slow builder to compare with."""

from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st


@dataclass
class Row:
    """One row of a trace."""

    page: int
    write: int
    time_us: int | None = None
    task: str | None = None
    kind: str | None = None
    content: int | None = None


@st.composite
def tables(draw: st.DrawFn) -> list[Row]:
    """Rows that make a valid trace, with any of the optional columns, few pages and up to 60 rows."""
    rows = draw(st.integers(1, 60))
    numbers = draw(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=6, unique=True))
    has = {name: draw(st.booleans()) for name in ("time", "task", "kind", "content")}
    clock: dict[str | None, int] = {}
    made = []
    for _ in range(rows):
        task = draw(st.sampled_from(["a", "b", "7"])) if has["task"] else None
        clock[task] = clock.get(task, 0) + draw(st.integers(0, 5))
        made.append(
            Row(
                page=draw(st.sampled_from(numbers)),
                write=draw(st.integers(0, 1)),
                time_us=clock[task] if has["time"] else None,
                task=task,
                kind=draw(st.sampled_from(["anon", "anon", "file"])) if has["kind"] else None,
                content=draw(st.integers(-1, 9)) if has["content"] else None,
            )
        )
    return made


def as_csv(rows: list[Row], hexadecimal: bool = False) -> str:
    """The rows as CSV text."""
    first = rows[0]
    names = ["page", "op"]
    names += [
        name
        for name, value in (("t_us", first.time_us), ("task", first.task), ("kind", first.kind))
        if value is not None
    ]
    names += ["content"] if first.content is not None else []
    return "\n".join([",".join(names), *(",".join(_fields(row, names, hexadecimal)) for row in rows)]) + "\n"


def _fields(row: Row, names: list[str], hexadecimal: bool) -> list[str]:
    text = {
        "page": hex(row.page) if hexadecimal else str(row.page),
        "op": "RW"[row.write],
        "t_us": str(row.time_us),
        "task": str(row.task),
        "kind": str(row.kind),
        "content": "" if row.content == -1 else str(row.content),
    }
    return [text[name] for name in names]


def write_csv(path: Path, rows: list[Row]) -> Path:
    """The rows in a CSV file."""
    path.write_text(as_csv(rows))
    return path


@dataclass
class Plain:
    """What a trace must be, worked out row by row with dictionaries."""

    tasks: dict[str, list[tuple[int, str, int]]]  # name -> (page number, kind, write) of each row
    starts: dict[str, tuple[int, int] | None]
    remaps: dict[str, list[tuple[int, int, str]]]  # name -> (row, page number, kind it had)
    logs: dict[tuple[str, int, int], list[tuple[int, int]]]  # (task, number, incarnation) -> (row, image)


def plain(rows: list[Row]) -> Plain:
    """The trace of the rows, the slow way."""
    found = Plain({}, {}, {}, {})
    kinds: dict[tuple[str, int], tuple[str, int]] = {}
    last: tuple[int, int] | None = None
    for row in rows:
        name, kind = row.task or "0", row.kind or "anon"
        if name not in found.tasks:
            found.tasks[name], found.starts[name], found.remaps[name] = [], last, []
        at = len(found.tasks[name])
        had, incarnation = kinds.get((name, row.page), (kind, 0))
        if had != kind:
            found.remaps[name].append((at, row.page, had))
            incarnation += 1
        kinds[name, row.page] = (kind, incarnation)
        if row.content is not None and row.content >= 0:
            found.logs.setdefault((name, row.page, incarnation), []).append((at, row.content))
        found.tasks[name].append((row.page, kind, row.write))
        last = list(found.tasks).index(name), at
    return found
