"""How sensitive a method is to its hyper-parameters, and what tuning it costs: numbers with intervals.

`runs` checks anybody's table, `measure` takes every measure that it allows. Each measure is also a pure
function of arrays: `performance`, `searching`, `shares`, `tunability`, `profiles`, `aggregates`. `report` and
`latex` put them into tables.
"""

from harness.analysis.sensitivity.measure import Measures, measure
from harness.analysis.sensitivity.report import latex, report
from harness.analysis.sensitivity.runs import Runs, Settings, runs

__all__ = ["Measures", "Runs", "Settings", "latex", "measure", "report", "runs"]
