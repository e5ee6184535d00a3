"""Tables and figures from results; matplotlib and pandas are imported only when a figure is drawn."""

from zsim.report.comparison import Comparison, compare
from zsim.report.figures import KINDS, Data, figure, figure_data, save_figure
from zsim.table import table, warnings

__all__ = ["KINDS", "Comparison", "Data", "compare", "figure", "figure_data", "save_figure", "table", "warnings"]
