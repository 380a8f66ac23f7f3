"""A race as a figure."""

from __future__ import annotations

from harness.analysis.sensitivity.texts import resampled
from harness.plots import race as plotted
from harness.plots.heading import seeds_text
from harness.study.race.contenders import TITLES
from harness.study.race.written import Raced


def drawn(raced: Raced) -> plotted.Drawn:
    """What stands beside its curves."""
    bands = f"; bands: {resampled([len(raced.seeds)])}" if len(raced.seeds) > 1 else ", so no bands"
    seeds = f"{seeds_text(raced.seeds)}{bands}".capitalize()
    about = (
        f"Target: a training loss of {raced.target:g}, sustained. Grey line: a whole run, {raced.budget} "
        "iterations. A line ends where nothing more is tried",
        seeds,
    )
    title = f"The race: {raced.grid}"
    return plotted.Drawn(title=title, about=about, names=TITLES, unit=raced.unit, budget=raced.budget)
