"""zsim: a trace-driven discrete-event simulator of in-kernel memory compression.

    result = zsim.replay("traces/sqlite", zsim.load_config(allocator="zsmalloc", memory="50%"))
    print(zsim.report.table(result))
    zsim.report.save_figure(result, "run.svg")
    zsim.sweep("study.toml").query("slowdown < 2")
    zsim.load_results("results/").query("slowdown < 2")

What is named here is imported when it is first used, so that `import zsim` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zsim import report
    from zsim.batch import sweep
    from zsim.config import Config, load_config
    from zsim.errors import ConfigError, ResultError, TraceError, UsageError, ZsimError
    from zsim.results import Result, load_results
    from zsim.run import replay
    from zsim.traces import Trace, open_trace

_HOMES = {
    "Config": "config",
    "load_config": "config",
    "Trace": "traces",
    "open_trace": "traces",
    "replay": "run",
    "sweep": "batch",
    "Result": "results",
    "load_results": "results",
    "ZsimError": "errors",
    "UsageError": "errors",
    "ConfigError": "errors",
    "TraceError": "errors",
    "ResultError": "errors",
}

__all__ = [
    "Config", "ConfigError", "Result", "ResultError", "Trace", "TraceError", "UsageError", "ZsimError",
    "load_config", "load_results", "open_trace", "replay", "report", "sweep",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "report":
        return import_module("zsim.report")
    if name not in _HOMES:
        raise AttributeError(f"module 'zsim' has no attribute {name!r}")
    value = getattr(import_module(f"zsim.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
