"""`make faults`: kill sweeps, mutate grids, and say what was lost, changed, run twice or let through."""

from __future__ import annotations

import argparse
import sys

from tests.faults import going_on, grids, kills

MUTANTS, ALL_MUTANTS = 200, 2000


def main() -> int:
    """Run all three; 1 if anything went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--full", action="store_true", help="all kills, and ten times as many grids")
    full = parser.parse_args().full
    killed = kills.run(kills.KILLS if full else kills.KILLS[: kills.SHORT])
    left = going_on.run(going_on.KILLS)
    mutated = grids.run(ALL_MUTANTS if full else MUTANTS)
    return int(bool(killed or left or mutated))


if __name__ == "__main__":
    sys.exit(main())
