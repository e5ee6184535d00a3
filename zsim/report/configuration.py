"""What the runs of a study were: the settings they share, those that vary, their traces, where results came from."""

from collections.abc import Sequence
from typing import Any

from zsim.config import config_keys, load_config
from zsim.report.labels import differences, text_of
from zsim.report.runs import Runs
from zsim.results import Result, flat
from zsim.units import PAGE_SIZE, format_bytes

Rows = list[tuple[str, ...]]

LENGTH = 16
"""Digits of a digest that are shown: those that name a run's directory."""


def shared_settings(results: Sequence[Result]) -> Rows:
    """(key, value, default) of what all runs share and the defaults of their era and store do not have."""
    if not results:
        return []
    own, varying = flat(results[0].config), differences(results)
    usual = flat(load_config(era=own["era"], store=own["store"]).as_dict())
    chosen = {key: value for key, value in own.items() if key not in varying and value != usual.get(key)}
    rows: Rows = [] if "era" in varying else [("era", str(own["era"]), load_config().era)]
    return rows + [(key, text_of(value), text_of(usual.get(key, ""))) for key, value in chosen.items()]


def axes_rows(runs: Runs) -> Rows:
    """(axis, values, unit) of every axis of the study."""
    keys = config_keys()
    return [
        (axis, ", ".join(map(text_of, values)), str(keys[axis].metadata["unit"]) if axis in keys else "")
        for axis, values in runs.axes.items()
    ]


def following_settings(runs: Runs) -> Rows:
    """(key, values) of what varies without being an axis: what an era, a series or zipped keys bring along."""
    return [
        (key, ", ".join(dict.fromkeys(map(text_of, values))))
        for key, values in differences(runs.results).items()
        if key not in runs.axes and not key.startswith("device.")
    ]


def trace_rows(results: Sequence[Result]) -> Rows:
    """(name, accesses, footprint, tasks, K, digest) of each trace."""
    traces = {result.trace["digest"]: result.trace for result in results}
    return [
        (
            str(trace["name"]), f"{trace['accesses']:,}", format_bytes(trace["footprint_pages"] * PAGE_SIZE),
            str(trace["tasks"]), _or_none(trace["k"]), digest[:LENGTH],
        )
        for digest, trace in traces.items()
    ]  # fmt: skip


def provenance_rows(results: Sequence[Result]) -> Rows:
    """(what, values) of versions and seeds."""
    names = {"zsim_version": "zsim", "model_version": "version of the model", "seed": "seed"}
    return [
        (label, ", ".join(dict.fromkeys(str(result.provenance.get(name)) for result in results)))
        for name, label in names.items()
    ]


def run_rows(runs: Runs) -> Rows:
    """(run, outcome, digest) of each run that has a result."""
    return [(run.label, run.outcome, run.result.digest[:LENGTH]) for run in runs if run.result is not None]


def _or_none(value: Any) -> str:
    return "-" if value is None else f"{value:,}"
