"""Results that somebody gave: right numbers, right direction, the same bytes for the same data."""

import csv
import io
import json
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest

import zsim
from tests.results import busy_result, busy_trace, oom_result
from zsim.errors import ResultError, UsageError
from zsim.measures import measure
from zsim.metrics import METRICS
from zsim.report import compare, figure, figure_data, save_figure
from zsim.report.comparison import TELLING, format_value
from zsim.report.labels import labels
from zsim.results import Result
from zsim.run import replay


@cache
def three() -> list[Result]:
    """zbud, zsmalloc, no store."""
    return [busy_result(), busy_result(allocator="zsmalloc"), busy_result(store="none")]


def row(result: object, name: str) -> object:
    """One metric's row of a comparison."""
    return next(each for each in result.rows if each.metric == name)  # type: ignore[attr-defined]


def test_ratio_and_direction() -> None:
    """The ratio is to the first; better follows the metric's own direction."""
    comparison = compare(three(), everything=True)
    assert [each.metric for each in comparison.rows] == list(METRICS)
    for each in comparison.rows:
        base = each.values[0]
        for value, ratio, verdict in zip(each.values, each.ratios, each.verdicts, strict=True):
            if value is None or base is None:
                assert ratio is None and verdict == ""
            elif base:
                assert ratio == round(value / base, 6)
            if verdict:
                assert each.better and (verdict == "better") == ((value < base) == (each.better == "lower"))  # type: ignore[operator]


def test_not_applicable_is_shown_not_dropped() -> None:
    """A store's metrics of a run without one are n/a in every form."""
    comparison = compare(three())
    assert "density" in comparison.to_text() and "n/a" in comparison.to_text()
    stored = json.loads(comparison.render("json"))
    density = next(each for each in stored["metrics"] if each["metric"] == "density")
    assert density["values"][2] is None and density["verdicts"][2] == ""
    rows = list(csv.DictReader(io.StringIO(comparison.render("csv"))))
    assert next(each for each in rows if each["metric"] == "density")["none"] == ""


def test_from_nothing_is_worse_without_a_ratio() -> None:
    """A baseline of zero has no ratio, but a direction."""
    base, other = busy_result(store="none"), busy_result()
    written = compare([base, other], names=["written_back_pages"]).rows[0]
    assert written.values[0] == 0 and written.ratios[1] is None and written.verdicts[1] == "worse"


def test_markdown_is_a_table() -> None:
    """A header, a rule, and a row a metric with as many cells."""
    lines = compare(three()).render("markdown").splitlines()
    assert lines[1].startswith("| --- | ---: |") and len({line.count("|") for line in lines}) == 1


def test_telling_metrics_exist() -> None:
    """Every name of the default table is a metric or a latency figure, and has a direction or none."""
    result = three()[0]
    for name in TELLING:
        measure(name).of(result)
        assert measure(name).better in ("lower", "higher", "")


def test_one_result_is_no_comparison() -> None:
    """A baseline needs something to be compared with it."""
    with pytest.raises(UsageError, match="two results or more"):
        compare(three()[:1])


def test_oom_is_shown() -> None:
    """A column of a run that ran out of memory says so."""
    assert "(OOM)" in compare([busy_result(), oom_result()]).to_text()


def test_labels_tell_apart() -> None:
    """By what differs; an allocator is not named where there is no pool; equal runs are numbered."""
    assert labels(three()) == ["zswap, zbud", "zswap, zsmalloc", "none"]
    assert labels([busy_result(), busy_result(zswap__max_pool_percent=30)]) == [
        "max_pool_percent 20", "max_pool_percent 30",
    ]  # fmt: skip
    assert labels([busy_result(), busy_result(era="3.11")]) == ["era 6.1", "era 3.11"]
    assert labels([busy_result(), busy_result(swap="hdd")]) == ["nvme", "hdd"]
    assert labels([replay(busy_trace(), zsim.load_config()), replay(busy_trace(2, "other"), zsim.load_config())]) == [
        "busy", "other",
    ]  # fmt: skip
    assert len(set(labels([busy_result(), busy_result()]))) == 2


def test_values_for_people() -> None:
    """By unit, with n/a for what does not apply."""
    assert [format_value(*pair) for pair in [(None, ""), (1500, "ns"), (2048, "B"), (3, "pages"), (0.5, "x")]] == [
        "n/a", "1.5 us", "2 KiB", "3 (12 KiB)", "0.5",
    ]  # fmt: skip


def chosen(kind: str) -> list[Result]:
    """As many results as a kind of figure takes."""
    return three()[:1] if kind == "time" else three()


@pytest.mark.parametrize(("kind", "form"), [("time", "svg"), ("latency", "svg"), ("compare", "svg")])
def test_same_data_same_bytes(tmp_path: Path, kind: str, form: str) -> None:
    """Drawn twice, figure and data are equal to the byte, and nothing else is left behind."""
    paths = [save_figure(chosen(kind), tmp_path / f"{name}.{form}", kind) for name in "ab"]
    assert [a.read_bytes() == b.read_bytes() for a, b in zip(*paths, strict=True)] == [True, True]
    assert len(list(tmp_path.iterdir())) == 4


def test_pdf_fonts_are_true_type(tmp_path: Path) -> None:
    """No Type 3 fonts, which papers refuse."""
    figure_path, _ = save_figure(three()[0], tmp_path / "t.pdf")
    assert b"/Type3" not in figure_path.read_bytes() and b"/FontFile2" in figure_path.read_bytes()


def test_the_svg_is_well_formed_and_seven_inches_wide(tmp_path: Path) -> None:
    """504 pt is 7 in."""
    figure_path, _ = save_figure(three()[0], tmp_path / "t.svg")
    assert ElementTree.parse(figure_path).getroot().get("width") == "504pt"


def test_axes_have_units() -> None:
    """Every axis that shows a quantity names its unit."""
    drawn = figure(three()[0])
    assert [axes.get_ylabel() for axes in drawn.axes] == [
        "memory [MiB]", "pages", "faults [1000/s]", "device I/O [MiB/s]",
    ]  # fmt: skip
    assert drawn.axes[-1].get_xlabel().startswith("simulated time [")
    assert figure(three(), "latency").axes[0].get_xlabel() == "latency of a fault"  # its ticks have units
    assert not any(axes.get_legend() for axes in drawn.axes)


def test_time_data_adds_up() -> None:
    """What is held never exceeds the RAM, and rates times intervals give the counters back."""
    result = three()[0]
    data = figure_data(result)
    held = [sum(row[1:5]) for row in data.rows]
    assert max(held) <= 64 and data.column("time_ns")[0] == 0
    times, rates = data.column("time_ns"), data.column("pswpin_per_s")
    total = sum((b - a) / 1e9 * rate for a, b, rate in zip(times, times[1:], rates[1:], strict=False))
    assert total == pytest.approx(result.metrics["pswpin"], rel=0.001)


def test_latency_data_ends_at_one() -> None:
    """A distribution rises to 1: per kind for one run, per run for several."""
    for results in (three()[:1], three()):
        data = figure_data(results, "latency")
        last = {curve: share for _, _, curve, _, share in data.rows}
        assert set(last.values()) == {1.0}
    assert list(last) == labels(three())


def test_no_store_no_pool_panel() -> None:
    """A run without a store has no panel of stored pages."""
    assert len(figure(three()[2]).axes) == 3


def test_a_run_out_of_memory_can_be_drawn(tmp_path: Path) -> None:
    """A short series is no reason to fail."""
    save_figure(oom_result(), tmp_path / "oom.svg")
    save_figure([busy_result(), oom_result()], tmp_path / "both.svg", "compare")


def test_what_cannot_be_drawn(tmp_path: Path) -> None:
    """Wrong kind, wrong suffix, wrong number, no place: each one clear error and no file."""
    with pytest.raises(UsageError, match="did you mean 'time'"):
        figure(three()[0], "tme")
    with pytest.raises(UsageError, match=r"\.svg, \.pdf, \.png"):
        save_figure(three()[0], tmp_path / "t.gif")
    with pytest.raises(ResultError, match="cannot be written"):
        save_figure(three()[0], tmp_path / "nowhere" / "t.svg")
    assert list(tmp_path.iterdir()) == []
