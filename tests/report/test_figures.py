"""The figures of a study: right data, the same bytes, nothing on top of anything, clear errors."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.report.handmade import write_study
from tests.results import busy_result
from zsim.errors import ResultError, UsageError
from zsim.measures import measure
from zsim.report import KINDS, Runs, figure, figure_data, gather, save_all, save_figure, wanted_of
from zsim.report.axis import view_of
from zsim.report.heatmap import names_of
from zsim.report.layout import free_place
from zsim.report.pareto import front_of, measures_of
from zsim.report.wanted import Wanted

ASKED: dict[str, dict[str, Any]] = {
    "axis": {}, "pareto": {}, "heatmap": {}, "cdf": {"where": {"trace": "gcc"}}, "evictions": {},
    "time": {"where": {"trace": "gcc", "memory": "40%"}}, "compare": {"where": {"trace": "gcc", "memory": "40%"}},
}  # fmt: skip


@pytest.mark.parametrize(("kind", "form"), [*((kind, "svg") for kind in KINDS), ("axis", "pdf"), ("pareto", "png")])
def test_same_data_same_bytes(study: Path, tmp_path: Path, kind: str, form: str) -> None:
    """Every kind, and every form, drawn twice."""
    paths = [save_figure(study, tmp_path / f"{name}.{form}", kind, **ASKED[kind]) for name in "ab"]
    assert [a.read_bytes() == b.read_bytes() for a, b in zip(*paths, strict=True)] == [True, True]
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("kind", KINDS)
def test_texts_do_not_overlap(study: Path, kind: str) -> None:
    """No label lies on another, and none is cut off at the figure's edge."""
    drawn = figure(study, kind, title="A title above it all", **ASKED[kind])
    drawn.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent().padded(-1)) for text in shown_texts(drawn)]
    assert len(boxes) > 5
    for number, (name, box) in enumerate(boxes):
        assert box.x0 >= -1 and box.x1 <= drawn.bbox.width + 1, f"{name!r} is cut off"
        for other, another in boxes[number + 1 :]:
            assert not box.overlaps(another), f"{name!r} on {other!r}"


def shown_texts(drawn: Any) -> list[Any]:
    """Every text that is drawn: of figure, legend, panels, and the ticks within the view."""
    texts = [*drawn.texts, *(text for each in drawn.legends for text in (each.get_title(), *each.get_texts()))]
    for axes in (axes for axes in drawn.axes if axes.get_visible()):
        texts += [*axes.texts, axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label]
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [tick for tick in axis._update_ticks() if low <= tick.get_loc() <= high]
            texts += [tick.label1 for tick in ticks if tick.label1.get_visible()]
    return [text for text in texts if text.get_text().strip() and text.get_visible()]


def test_data_of_an_axis(study: Path, tmp_path: Path) -> None:
    """A row a run, the numbers as they were chosen."""
    _, table = save_figure(study, tmp_path / "a.svg", "axis", y=["slowdown", "pgmajfault"])
    rows = list(csv.reader(table.open()))
    assert rows[0] == ["trace", "allocator", "memory.size", "outcome", "slowdown", "pgmajfault"]
    assert rows[4] == ["gcc", "zsmalloc", "40%", "done", "3.0", "800"]
    assert rows[8] == ["sort", "zbud", "60%", "failed", "", ""] and len(rows) == 13


def test_lines_and_crosses(study: Path) -> None:
    """Lines go through the points of runs that came to their end; a cross marks what did not, and is explained."""
    drawn = figure(study, "axis", y=["slowdown"])
    gcc, sort = drawn.axes
    lines = {tuple(line.get_xdata()): tuple(line.get_ydata()) for line in gcc.lines}
    assert lines == {(40.0, 60.0, 80.0): (3.0, 2.5, 1.2)} | lines and len(gcc.lines) == 2
    assert sorted(line.get_xdata()[0] for line in sort.lines if line.get_marker() == "x") == [60.0, 80.0]
    assert [text.get_text() for text in drawn.legends[0].get_texts()] == ["zbud", "zsmalloc", "failed, out of memory"]
    assert (gcc.get_xlabel(), gcc.get_ylabel(), gcc.get_title("left")) == (
        "memory.size [% of footprint]",
        "slowdown [x]",
        "gcc",
    )


def test_one_panel_is_a_column_wide(study: Path) -> None:
    """Of a paper: 3.4 inches, its lines named at their ends."""
    drawn = figure(study, "axis", where={"trace": "gcc"}, y=["slowdown"])
    assert drawn.get_figwidth() == pytest.approx(3.4) and not drawn.legends
    assert {text.get_text() for text in drawn.axes[0].texts} == {"zbud", "zsmalloc"}


def test_bars_beside_names(study: Path) -> None:
    """Names are no numbers: bars, with the value or the reason at their ends."""
    drawn = figure(study, "axis", x="allocator", y=["slowdown"], where={"trace": "sort"})
    texts = {text.get_text() for text in drawn.axes[0].texts}
    assert texts == {"8", "failed", "missing", "4", "1", "out of memory"}
    assert [bar.get_width() for bar in drawn.axes[0].patches] == [7.0, 3.0, 0.0]  # times more than 1


def test_far_apart_in_log(runs: Runs) -> None:
    """8 is not far from 1; with a slowdown of 40 it would be."""
    assert not view_of(measure("slowdown"), runs.runs).is_log
    assert view_of(measure("pgmajfault"), runs.where({"trace": "gcc"}).runs).low == 0


def test_pareto_front_by_hand(runs: Runs) -> None:
    """gcc: 40 % of RAM spares 60 pages at 3.0, 60 % spares 40 at 2.0, 80 % spares 20 at 1.2; the others are beaten."""
    part = runs.where({"trace": "gcc"})
    both = measures_of(part, Wanted("pareto"))
    assert [what.name for what in both] == ["memory_spared_pages", "slowdown"]
    assert [run.label for run in front_of(part.runs, both)] == [
        "gcc, zsmalloc, 40%", "gcc, zbud, 60%", "gcc, zsmalloc, 80%",
    ]  # fmt: skip
    data = figure_data(runs, "pareto")
    assert [row[:3] for row in data.rows if row[-1]] == [
        ("gcc", "zbud", "60%"), ("gcc", "zsmalloc", "40%"), ("gcc", "zsmalloc", "80%"), ("sort", "zsmalloc", "40%"),
        ("sort", "zsmalloc", "60%"),
    ]  # fmt: skip
    assert data.rows[3][4:] == (60, 3.0, True)


def test_pareto_with_one_size_of_ram(runs: Runs) -> None:
    """What is saved is then what the pool holds beyond its own frames."""
    part = runs.where({"memory": "40%"})
    assert figure_data(part, "pareto").column("memory_gained_pages") == [40, 37, 34, 31]
    with pytest.raises(UsageError, match="neither more nor less of it is better"):
        figure(part, "pareto", x="accesses")


def test_heatmap_cells(study: Path) -> None:
    """The number in each cell; why there is none."""
    drawn = figure(study, "heatmap")
    assert [text.get_text() for text in drawn.axes[1].texts] == ["8", "failed", "missing", "4", "1", "OOM"]
    assert drawn.axes[0].get_title("left") == "gcc\nslowdown [x], darker is worse"


def test_heatmap_axes(runs: Runs) -> None:
    """Numbers across, traces last; as asked where it is asked."""
    assert names_of(runs, Wanted("heatmap")) == ("memory.size", "allocator")
    assert names_of(runs, Wanted("heatmap", x="allocator", series=("trace",))) == ("allocator", "trace")
    assert names_of(runs, Wanted("heatmap", series=("trace",))) == ("memory.size", "trace")
    with pytest.raises(UsageError, match="hold the others by where: memory.size=40%"):
        figure(runs, "heatmap", x="allocator", series="trace")
    with pytest.raises(UsageError, match="needs two axes"):
        figure(runs.where({"trace": "gcc", "memory": "40%"}), "heatmap")


def test_curves_end_at_one(study: Path) -> None:
    """A distribution a run, of the latency asked for, a row of panels a trace."""
    data = figure_data(study, "cdf", y=["store"])
    last = {(trace, curve): share for _, trace, curve, _, share in data.rows}
    assert set(last.values()) == {1.0} and len(last) == 10 and set(data.column("latency")) == {"store"}
    assert len(figure(study, "cdf").axes) == 4
    with pytest.raises(UsageError, match="did you mean 'store'"):
        figure(study, "cdf", y="stor")


def test_evictions_are_those_of_the_results(study: Path) -> None:
    """The metric itself, and the tail of the times, which falls to 0."""
    expected = busy_result().metrics
    data = figure_data(study, "evictions", where={"trace": "gcc", "memory": "40%", "allocator": "zbud"})
    values = {quantity: value for _, _, quantity, _, value in data.rows if quantity != "share_of_longer"}
    assert values == {name: expected[name] for name in values} and values["evictions_per_freed_page"] > 1
    tail = [value for *_, quantity, _, value in data.rows if quantity == "share_of_longer"]
    assert tail == sorted(tail, reverse=True) and tail[-1] == 0


def test_several_over_time(study: Path) -> None:
    """Gauges as they are, counters per second; any column of the series can be asked for."""
    asked = {"where": {"trace": "gcc", "memory": "40%"}}
    data = figure_data(study, "time", **asked)
    assert data.columns == (
        "run",
        "time_ns",
        "resident_pages",
        "pool_pages",
        "major_faults_per_s",
        "device_pages_per_s",
    )
    assert set(data.column("run")) == {"zbud", "zsmalloc"}
    other = figure_data(study, "time", y=["stored_pages", "zswpin"], **asked)
    assert other.columns[2:] == ("stored_pages", "zswpin_per_s")
    rows = [row[1:] for row in other.rows if row[0] == "zbud"]
    total = sum((b[0] - a[0]) / 1e9 * b[2] for a, b in zip(rows, rows[1:], strict=False))
    assert total == pytest.approx(busy_result().metrics["zswpin"], rel=0.001)
    with pytest.raises(UsageError, match="did you mean 'zswpin'"):
        figure(study, "time", y=["zswpn"])


def test_what_a_study_asks_for(tmp_path: Path) -> None:
    """Its own figures, numbered; the first of them where one is wanted; else what suits its axes."""
    wanted = [{"kind": "heatmap", "where": {"trace": "gcc"}, "title": "Heat"}, {"y": "pgmajfault"}]
    own = gather(write_study(tmp_path / "own", figures=wanted))[0]
    assert [path.name for path in save_all([own], tmp_path / "out", "png")] == [
        "density-1.png", "density-1.csv", "density-2.png", "density-2.csv",
    ]  # fmt: skip
    assert wanted_of(own) == Wanted("heatmap", where={"trace": "gcc"}, title="Heat")
    assert figure_data(own).columns[-1] == "slowdown" and len(figure_data(own).rows) == 6
    plain = gather(write_study(tmp_path / "plain"))[0]
    assert [path.name for path in save_all([plain], tmp_path / "out2")][::2] == ["density-1.svg", "density-2.svg"]
    assert wanted_of(plain).kind == "axis"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"kind": "heatmp"}, "did you mean 'heatmap'"), ({"y": "slowdwn"}, "did you mean 'slowdown'"),
        ({"x": "memry"}, "did you mean 'memory.size'"), ({"series": "trce"}, "did you mean 'trace'"),
        ({"colour": "red"}, "unknown key 'colour'"), ({"where": {"trace": "gc"}}, "did you mean 'gcc'"),
        ({"study": "densty"}, "did you mean 'density'"),
    ],
)  # fmt: skip
def test_errors(study: Path, asked: dict[str, Any], message: str) -> None:
    """Each names what is wrong and what was meant."""
    with pytest.raises(UsageError, match=message):
        figure(study, **asked)


def test_nowhere_to_write(study: Path, tmp_path: Path) -> None:
    """A folder that cannot be made, a name that is no figure's: one clear error and no file."""
    (tmp_path / "file").touch()
    with pytest.raises(ResultError, match="file"):
        save_all(gather(study), tmp_path / "file" / "figures")
    with pytest.raises(UsageError, match=r"ends in \.svg"):
        save_figure(study, tmp_path / "x.gif")


def test_more_lines_than_anybody_tells_apart(tmp_path: Path) -> None:
    """The message says what to hold."""
    sizes = [f"{number}%" for number in range(20, 100, 5)]
    axes = {"trace": ["gcc"], "allocator": ["zbud"], "memory.size": sizes, "seed": [1, 2]}
    runs = gather(write_study(tmp_path / "s"))[0]
    many = [
        replace(runs.runs[0], values={"trace": "gcc", "memory.size": size, "seed": s}) for size in sizes for s in (1, 2)
    ]
    crowd = replace(runs, axes=axes, runs=many)
    with pytest.raises(UsageError, match="16 series .* cannot be told apart; choose some of the runs by where"):
        figure(crowd, "axis", x="seed")


def test_free_place_keeps_clear() -> None:
    """Beside the point, over nothing, inside the panel; where there is no room, beside the point all the same."""
    inside = (0.0, 0.0, 100.0, 100.0)
    taken = [(48.0, 48.0, 52.0, 52.0)]
    first = free_place((50, 50), (20, 8), taken, inside)
    second = free_place((50, 50), (20, 8), [*taken, first], inside)
    assert first != second and not (
        first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]
    )
    corner = free_place((99, 99), (20, 8), [], inside)
    assert corner[2] <= 100 and corner[3] <= 100
    assert free_place((50, 50), (20, 8), [inside], inside)[0] > 50
