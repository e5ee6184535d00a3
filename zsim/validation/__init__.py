"""Does the model do what a kernel did? Recorded kernel runs, replayed and compared access by access."""

from zsim.validation.cases import SHIPPED, Case, find_cases
from zsim.validation.compare import Comparison, compare
from zsim.validation.replay import Replayed, replay_case

__all__ = ["SHIPPED", "Case", "Comparison", "Replayed", "compare", "find_cases", "replay_case"]
