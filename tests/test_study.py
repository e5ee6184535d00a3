"""Studies expanded: what runs come out of which file, and what is said of mistakes."""

from pathlib import Path
from typing import Any

import pytest

from tests.results import write_csv
from tests.studies import SIX, write_study
from zsim.config import load_config
from zsim.errors import UsageError
from zsim.run import digest_of
from zsim.study import Plan, load_plans
from zsim.studyaxes import RANGE, expand_range
from zsim.studyfiles import Study, load_studies, write_studies
from zsim.traces import open_trace


def plan(folder: Path, text: str, traces: tuple[str, ...] = ("small",), **options: Any) -> Plan:
    """The only plan of a study's file."""
    (found,) = load_plans(write_study(folder, text, traces=traces), folder / "out", **options)
    return found


def at(made: Plan, *axes: str) -> list[tuple[Any, ...]]:
    """Where the runs are on some axes."""
    return [tuple(point.values[axis] for axis in axes) for point in made.study.points]


def test_product_in_order_of_the_axes(tmp_path: Path) -> None:
    """Every combination once, the last axis fastest, by full names, under the digest that a replay would have."""
    made = plan(tmp_path, '[axes]\nallocator = ["zbud", "zsmalloc"]\nmemory = ["40%", 8192000]')
    assert at(made, "allocator", "memory.size") == [
        ("zbud", "40%"), ("zbud", "8192000"), ("zsmalloc", "40%"), ("zsmalloc", "8192000"),
    ]  # fmt: skip
    assert made.study.axes == {"allocator": ["zbud", "zsmalloc"], "memory.size": ["40%", "8192000"]}
    config = load_config(allocator="zsmalloc", memory="40%")
    assert made.study.points[2].digest == digest_of(open_trace(tmp_path / "small.csv"), config)
    assert made.study.title == made.study.name == "study" and made.warnings == []


def test_traces_are_an_axis_where_there_are_several(tmp_path: Path) -> None:
    """Relative to the file, called by their names; by what the file calls them where names are the same."""
    made = plan(tmp_path, "", traces=("one", "two"))
    assert made.study.axes == {"trace": ["one", "two"]} and [p.trace for p in made.study.points] == ["one", "two"]
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_csv(tmp_path / name / "same.csv", 1000 + len(name))
    assert plan(tmp_path, "", traces=("a/same", "b/same")).study.axes == {"trace": ["a/same", "b/same"]}
    assert plan(tmp_path, "").study.axes == {} and plan(tmp_path, "").study.points[0].trace == "small"


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ({"from": 10, "to": 50, "step": 20}, [10, 30, 50]),
        ({"from": 10, "to": 45, "step": 20}, [10, 30]),
        ({"from": 3, "to": 1, "step": -1}, [3, 2, 1]),
        ({"from": 0.1, "to": 0.3, "step": 0.1}, [0.1, 0.2, 0.3]),
        ({"from": 1, "to": 2, "count": 3}, [1, 1.5, 2]),
        ({"from": 1, "to": 100, "count": 3, "scale": "log"}, [1, 10, 100]),
        ({"from": 10, "to": 100, "count": 4, "scale": "log", "suffix": "%"}, ["10%", "21.5%", "46.4%", "100%"]),
        ({"from": 40, "to": 60, "step": 20, "suffix": "%"}, ["40%", "60%"]),
    ],
)
def test_ranges(table: dict[str, Any], values: list[Any]) -> None:
    """Both ends are in, where the step meets them."""
    assert expand_range(table) == values


def test_ranges_of_whole_numbers(tmp_path: Path) -> None:
    """A key that takes whole numbers gets them, each once, on a scale too."""
    made = plan(tmp_path, '[axes]\n"reclaim.batch" = { from = 1, to = 8, count = 7, scale = "log" }')
    assert made.study.axes == {"reclaim.batch": [1, 2, 3, 4, 6, 8]}


def test_zipped_keys_are_one_axis(tmp_path: Path) -> None:
    """Named by their first key or as told; by all values where the first repeats."""
    text = '[[zip]]\nera = ["2013", "6.1"]\nallocator = ["zsmalloc", "zbud"]\nzswap.max_pool_percent = [30, 20]'
    made = plan(tmp_path, text)
    assert at(made, "era") == [("2013",), ("6.1",)]
    assert [run.resolved.config.zswap.max_pool_percent for run in made.runs] == [30, 20]
    made = plan(tmp_path, '[[zip]]\nname = "kernel"\nera = ["6.1", "6.1"]\nallocator = ["z3fold", "zbud"]')
    assert made.study.axes == {"kernel": ["6.1 / z3fold", "6.1 / zbud"]}


def test_series_are_named_settings(tmp_path: Path) -> None:
    """Equal runs under two names are two points of one run."""
    text = (
        '[[series]]\nname = "plain"\nstore = "none"\n[[series]]\nname = "a"\n[[series]]\nname = "b"\nallocator="zbud"'
    )
    made = plan(tmp_path, text)
    assert made.study.axes == {"series": ["plain", "a", "b"]}
    assert made.runs[0].resolved.config.store == "none"
    assert made.study.points[1].digest == made.study.points[2].digest != made.study.points[0].digest


def test_exclude_and_include(tmp_path: Path) -> None:
    """What matches all keys is dropped, any of a list; what is included stands where its configuration is."""
    text = """
    [axes]
    allocator = ["zbud", "zsmalloc", "z3fold"]
    memory = ["40%", "60%"]
    [[exclude]]
    allocator = ["zsmalloc", "z3fold"]
    memory = "40%"
    [[include]]
    series = "twice the RAM"
    memory = "100%"
    """
    made = plan(tmp_path, text)
    assert at(made, "allocator", "memory.size", "series") == [
        ("zbud", "40%", "base"), ("zbud", "60%", "base"), ("zsmalloc", "60%", "base"), ("z3fold", "60%", "base"),
        ("zbud", "100%", "twice the RAM"),
    ]  # fmt: skip
    assert made.study.axes["memory.size"] == ["40%", "60%", "100%"]


def test_include_for_every_trace_and_of_a_series(tmp_path: Path) -> None:
    """Without a trace an included run is for all of them; a known series brings its settings."""
    text = '[axes]\nseed = [1]\n[[series]]\nname = "plain"\nstore = "none"\n[[include]]\nseries = "plain"\nseed = 7'
    made = plan(tmp_path, text, traces=("one", "two"))
    assert at(made, "trace", "seed") == [("one", 1), ("two", 1), ("one", 7), ("two", 7)]
    assert {run.resolved.config.store for run in made.runs} == {"none"}
    made = plan(tmp_path, '[[include]]\ntrace = "two"\nseries = "more"\nmemory = "90%"', traces=("one", "two"))
    assert at(made, "trace", "series") == [("one", "base"), ("two", "base"), ("two", "more")]


def test_layers_are_above_the_base_and_below_the_axes(tmp_path: Path) -> None:
    """Options change what no axis sets; an option in vain is said."""
    text = '[base]\nseed = 3\nera = "3.11"\n[axes]\nmemory = ["40%"]'
    made = plan(tmp_path, text, layers=[("--set", {"seed": "5"}), ("--memory", {"memory": "80%"})])
    config = made.runs[0].resolved.config
    assert (config.seed, config.era, config.memory.size) == (5, "3.11", "40%")
    assert made.warnings == [f"{tmp_path / 'study.toml'}: --memory has no effect: memory.size is an axis"]
    assert made.runs[0].resolved.origins["seed"] == "--set"
    assert made.runs[0].resolved.origins["memory.size"] == "study.toml"


def test_what_its_author_should_know(tmp_path: Path) -> None:
    """An [[exclude]] in vain, and runs that no table could tell apart, are warnings."""
    made = plan(tmp_path, '[axes]\nseed = [1, 2, 1]\n[[exclude]]\nseed = 3\n[[include]]\nmemory = "90%"')
    assert at(made, "seed") == [(1,), (2,), (1,)]
    exclude, twins = made.warnings
    assert exclude.endswith("study.toml: [[exclude]] 1 matches no run")
    assert "two different runs are both at seed = 1; give the [[include]] a series" in twins


def test_figures_and_baseline_by_full_names(tmp_path: Path) -> None:
    """Whoever draws them finds the axes by the names that they have in the results."""
    text = """
    baseline = { memory = "40%" }
    [axes]
    memory = ["40%", "60%"]
    allocator = ["zbud"]
    [[figure]]
    kind = "axis"
    x = "memory"
    y = ["slowdown", "pswpout"]
    series = "allocator"
    where = { memory = ["40%"], allocator = "zbud" }
    title = "memory"
    """
    study = plan(tmp_path, text).study
    assert study.baseline == {"memory.size": "40%"}
    assert study.figures == [
        {"kind": "axis", "x": "memory.size", "y": ["slowdown", "pswpout"], "series": "allocator",
         "where": {"memory.size": "40%", "allocator": "zbud"}, "title": "memory"}
    ]  # fmt: skip


MISTAKES = {
    'titel = "x"': "a study has no 'titel'; did you mean 'title'?",
    'title = 3': "title: 3; expected text",
    '[axes]\nalocator = ["zbud"]': "[axes]: unknown configuration key 'alocator'; did you mean 'allocator'?",
    '[axes]\nmemory = []': "[axes]: memory.size: the list is empty; expected values",
    '[axes]\nmemory = "40%"': "[axes]: memory.size: '40%' is neither a list nor a range { from, to, step }",
    '[axes]\nseed = ["x"]': "[axes]: seed: 'x' is not a whole number",
    '[axes]\nseed = [1.5]': "[axes]: seed: 1.5 is not a whole number",
    '[axes]\nallocator = ["zbdu"]': "allocator = 'zbdu': unknown allocator 'zbdu'; did you mean 'zbud'?",
    '[axes]\nmemory = ["4x%"]': "memory.size = '4x%': memory.size: '4x%' is not a size",
    '[axes]\ntrace = ["a"]': "[axes]: trace: is given at the top of the file",
    '[axes]\nseries = ["a"]': "[axes]: series: is given as [[series]] with a name each",
    '[axes]\nseed = [1]\nmetrics = ["slowdown"]': "[axes]: 'metrics' belongs to the top of the file",
    '[base]\nseed = 1\nbaseline = { seed = 1 }': "[base]: 'baseline' belongs to the top of the file",
    '[base]\nalocator = "zbud"': "[base]: unknown configuration key 'alocator'; did you mean 'allocator'?",
    '[axes]\nseed = { from = 1 }': "[axes]: seed: to: missing; expected a number",
    '[axes]\nseed = { from = 1, to = "9" }': "[axes]: seed: to: '9'; expected a number",
    '[axes]\nseed = { from = 1, to = 9 }': "[axes]: seed: a range needs either a step or a count",
    '[axes]\nseed = { from = 1, to = 9, step = -1 }': "[axes]: seed: from 1 to 9 in steps of -1 leads nowhere",
    '[axes]\nseed = { from = 1, to = 9, stop = 3 }': "[axes]: seed: a range has no 'stop'; did you mean 'step'?",
    '[axes]\nseed = { from = 0, to = 9, count = 3, scale = "log" }': "from 0 to 9: scale log needs numbers above 0",
    '[axes]\nseed = { from = 1, to = 9, count = 3, scale = "lgo" }': "scale: 'lgo' is unknown; did you mean 'log'?",
    '[axes]\nseed = { from = 0, to = 9e9, step = 1 }': "are more than 100,000 values",
    '[axes]\nseed = { from = 1, to = 999, step = 1 }\n"zswap.flush_entries" = { from = 1, to = 999, step = 1 }':
        "the axes make 998,001 runs",
    '[[zip]]\nera = ["2013", "6.1"]\nseed = [1, 2, 3]': "[[zip]] 1: lists of unequal length: era has 2, seed has 3",
    '[[zip]]\nname = "x"': "[[zip]] 1: no keys; expected lists of equal length",
    '[axes]\nseed = [1]\n[[zip]]\nseed = [2]': "two axes are called 'seed'; give a [[zip]] another name",
    '[axes]\nseed = [1]\n[[zip]]\nname = "x"\nseed = [2]': "the axes 'seed' and 'x' both set seed",
    '[axes]\nmemory = ["40%"]\n[[series]]\nname = "x"\nmemory = "1%"': "both set memory.size; a single run beside",
    '[[series]]\nstore = "none"': "[[series]] 1: needs a name (text)",
    '[[series]]\nname = "a"\n[[series]]\nname = "a"': "[[series]] 2: the name 'a' is taken",
    '[[series]]\nname = "a"\nstor = "none"': "[[series]] 'a': unknown configuration key 'stor'; did you mean 'store'?",
    '[[exclude]]': "[[exclude]] 1: is empty",
    '[axes]\nseed = [1]\n[[exclude]]\nsed = 1': "unknown axis or configuration key 'sed'; did you mean 'seed'?",
    '[axes]\nseed = [1]\n[[exclude]]\nseed = 1': "no run is left: [[exclude]] drops every combination",
    '[[include]]\ntrace = "smal"': "[[include]] 1: trace: 'smal' is unknown; did you mean 'small'?",
    '[[include]]\nseries = 3': "[[include]] 1: series: 3; expected text",
    'baseline = { memory = "40%" }\n[axes]\nseed = [1]': "baseline: 'memory.size' is no axis",
    'baseline = { seed = 4 }\n[axes]\nseed = [1, 5]': "baseline: seed = 4 is at no run",
    'baseline = { seed = [1, 5] }\n[axes]\nseed = [1, 5]': "baseline: seed: [1, 5]; expected one value",
    'metrics = ["slowdwn"]': "metrics: no metric 'slowdwn'; did you mean 'slowdown'",
    '[axes]\nseed = [1]\n[[figure]]\nwhere = { memory = "40%" }': "[[figure]] 1: where: 'memory.size' is no axis",
    'trace = "x"\ntraces = ["x"]\n': "not TOML",
    'series = 3': "series: 3; expected tables [[series]]",
}  # fmt: skip


@pytest.mark.parametrize("text", MISTAKES)
def test_mistakes_are_named(tmp_path: Path, text: str) -> None:
    """File, key, value, what was expected: one line each, before anything runs."""
    with pytest.raises(UsageError) as caught:
        plan(tmp_path, text)
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'study.toml'}: ") and MISTAKES[text] in said and "\n" not in said
    assert said.count("study.toml") == 1 and caught.value.exit_code == 2


def test_mistakes_of_traces(tmp_path: Path) -> None:
    """None, one that is missing, both ways of naming them."""
    path = write_study(tmp_path, "")
    for text, wanted in {
        "": "no trace; expected trace",
        'trace = "smal"': f"traces: {tmp_path / 'smal'}: no such trace",
        'trace = "small"\ntraces = ["small"]': "trace and traces are both given",
        "traces = [3]": "traces: 3; expected the name of a trace",
        "traces = []": "no trace; expected trace",
    }.items():
        path.write_text(text)
        with pytest.raises(UsageError, match=f"^{path}: ") as caught:
            load_plans(path, tmp_path)
        assert wanted in str(caught.value)


def test_places_without_studies(tmp_path: Path) -> None:
    """A missing file, an empty folder."""
    with pytest.raises(UsageError, match=r"nowhere\.toml: no such study"):
        load_plans(tmp_path / "nowhere.toml", tmp_path)
    with pytest.raises(UsageError, match=r"no study here \(\*\.toml\)"):
        load_plans(tmp_path, tmp_path)


def test_a_folder_of_studies(tmp_path: Path) -> None:
    """All of them, sorted, each with its own name."""
    for name in ("b", "a"):
        write_study(tmp_path, SIX, name)
    assert [made.study.name for made in load_plans(tmp_path, tmp_path / "out")] == ["a", "b"]


def test_read_back_as_written(tmp_path: Path) -> None:
    """study.json holds all that a report needs; without runs every point is missing."""
    study = plan(tmp_path, SIX, traces=("one", "two")).study
    write_studies(study.folder, [study])
    (loaded,) = load_studies(study.folder)
    assert isinstance(loaded, Study) and loaded == study == load_studies(study.folder / "study.json")[0]
    frame = loaded.frame()
    assert list(frame.columns[:6]) == ["trace", "allocator", "memory.size", "outcome", "error", "accesses"]
    assert len(frame) == 12 and set(frame["outcome"]) == {"missing"}


def test_a_range_is_told_from_nested_keys() -> None:
    """No key of the configuration is called as a part of a range is."""
    from zsim.config import config_keys

    assert not {name.rpartition(".")[2] for name in config_keys()} & set(RANGE)
