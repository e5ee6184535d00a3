"""The kinds of figures, and how they are saved: the file asked for and its data as CSV beside it."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zsim.errors import ResultError, UsageError
from zsim.registry import suggestion
from zsim.report.data import Data
from zsim.report.defaults import default_kind, wanted_figures
from zsim.report.runs import Runs, gather
from zsim.report.wanted import Wanted
from zsim.resultfiles import write_text, writing
from zsim.style import form_of, put_title, styled, write_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from zsim.report.runs import Subject

KINDS = {
    "axis": ("zsim.report.axis", "measures (y) against an axis (x), a line or bar a series"),
    "pareto": ("zsim.report.pareto", "memory saved (x) against slowdown (y), the front named"),
    "heatmap": ("zsim.report.heatmap", "a measure (y) over two axes (x and series)"),
    "cdf": ("zsim.report.cdf", "distribution of latencies (y: fault, store, free_page ...), and its tail"),
    "evictions": ("zsim.report.evictions", "objects evicted per pool frame freed, and how long that took"),
    "time": ("zsim.report.over_time", "memory, pool, faults and device traffic over time"),
    "compare": ("zsim.report.bars", "ratios of the key metrics to the first result"),
}
"""Kind -> module with `data(runs, wanted)` and `draw(data, runs, wanted)`, and what it shows."""

ALIASES = {"latency": "cdf"}


def figure(subject: "Subject", kind: str = "", **choices: Any) -> "Figure":
    """Draw a result, results, a study, or a folder of either.

    kind     one of KINDS; without one what the study's file says first, else what suits the runs
    choices  x, y, series, where, title as in a study's [[figure]]; study: which one of a folder with several
    A `UsageError` for an unknown name, or a kind that cannot show these runs.
    """
    return draw(*_chosen(subject, kind, choices))[1]


def figure_data(subject: "Subject", kind: str = "", **choices: Any) -> Data:
    """The numbers behind a figure."""
    runs, wanted = _chosen(subject, kind, choices)
    data: Data = _module(wanted.kind).data(runs.where(wanted.where), wanted)
    return data


def save_figure(subject: "Subject", path: str | Path, kind: str = "", **choices: Any) -> list[Path]:
    """Draw into `path` (svg, pdf or png by its suffix) and its data into the same name with .csv; both paths."""
    form_of(Path(path))
    return save(*_chosen(subject, kind, choices), Path(path))


def draw(runs: Runs, wanted: Wanted) -> "tuple[Data, Figure]":
    """A figure and the numbers behind it."""
    module, shown = _module(wanted.kind), runs.where(wanted.where)
    with styled():
        data = module.data(shown, wanted)
        drawn = module.draw(data, shown, wanted)
        if wanted.title:
            put_title(drawn, wanted.title)
    return data, drawn


def save(runs: Runs, wanted: Wanted, path: Path) -> list[Path]:
    """Write one figure and its data; both paths."""
    form, table = form_of(path), path.with_suffix(".csv")
    data, drawn = draw(runs, wanted)
    with writing(path) as part:
        write_figure(drawn, part, form)
    write_text(table, data.to_csv())
    return [path, table]


def save_all(several: list[Runs], folder: Path, form: str = "svg") -> list[Path]:
    """Every figure that the studies ask for (or that suits them) into `folder`, by the studies' names."""
    form_of(Path(f"any.{form}"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResultError(f"{folder}: {error.strerror}") from None
    paths = []
    for runs in several:
        for path, wanted in zip(figure_paths(runs, folder, form), wanted_figures(runs), strict=True):
            paths += save(runs, wanted, path)
    return paths


def figure_paths(runs: Runs, folder: Path, form: str) -> list[Path]:
    """What `save_all` calls the figures of a study."""
    count = len(wanted_figures(runs))
    names = [f"{runs.name}-{number}" for number in range(1, count + 1)] if count > 1 else [runs.name]
    return [folder / f"{name}.{form}" for name in names]


def _chosen(subject: "Subject", kind: str, choices: dict[str, Any]) -> tuple[Runs, Wanted]:
    runs = choose(gather(subject), choices.pop("study", ""))
    return runs, wanted_of(runs, kind, **choices)


def wanted_of(runs: Runs, kind: str = "", **choices: Any) -> Wanted:
    """The figure that is asked for; with nothing asked for, the first that the study's file says."""
    if not kind and not choices:
        return wanted_figures(runs)[0]
    return Wanted.of({"kind": kind} | choices).with_kind(default_kind(runs))


def choose(several: list[Runs], study: str) -> Runs:
    """The study called so, or the only one; a `UsageError` that names them where that is not clear."""
    names = [runs.name for runs in several]
    if study in names:
        return several[names.index(study)]
    if study:
        raise UsageError(f"no study {study!r} here{suggestion(study, names)}")
    if len(several) > 1:
        raise UsageError(f"there are {len(several)} studies here; choose one: {', '.join(names)}")
    return several[0]


def _module(kind: str) -> Any:
    kind = ALIASES.get(kind, kind)
    if kind not in KINDS:
        raise UsageError(f"unknown kind of figure {kind!r}{suggestion(kind, [*KINDS, *ALIASES])}")
    return import_module(KINDS[kind][0])
