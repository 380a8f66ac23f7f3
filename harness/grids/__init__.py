"""Grids: strict YAML -> ordered, unique cells; which of them to run; what their figure is asked to show."""

from harness.grids.block import Block
from harness.grids.figure import Heatmap, Losses, Trajectories
from harness.grids.file import datasets, from_json, load, load_all, names, resolve
from harness.grids.grid import Grid
from harness.grids.selection import (
    hyper_parameter,
    parse_seeds,
    select_shard,
    shard,
    where,
    where_note,
)

__all__ = [
    "Block",
    "Grid",
    "Heatmap",
    "Losses",
    "Trajectories",
    "datasets",
    "from_json",
    "hyper_parameter",
    "load",
    "load_all",
    "names",
    "parse_seeds",
    "resolve",
    "select_shard",
    "shard",
    "where",
    "where_note",
]
