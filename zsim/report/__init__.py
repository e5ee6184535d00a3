"""Tables and figures from results; matplotlib and pandas are imported only when a figure is drawn."""

from zsim.report.comparison import Comparison, compare
from zsim.report.data import Data
from zsim.report.figures import KINDS, choose, figure, figure_data, save, save_all, save_figure, wanted_of
from zsim.report.page import report_html, write_report
from zsim.report.page_markdown import write_markdown
from zsim.report.runs import Run, Runs, gather, gather_paths
from zsim.report.studytable import StudyTable, render, study_table
from zsim.table import table, warnings

__all__ = [
    "Comparison", "Data", "KINDS", "Run", "Runs", "StudyTable", "choose", "compare", "figure", "figure_data",
    "gather", "gather_paths", "render", "report_html", "save", "save_all", "save_figure", "study_table", "table",
    "wanted_of", "warnings", "write_markdown", "write_report",
]  # fmt: skip
