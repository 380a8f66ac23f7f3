"""The bench on a CPU: all programs agree in float64, then they are timed in turn on one thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from harness.bench import floor, machine, peers, timing
from harness.bench.threads import threads
from harness.bench.workload import PAPER, Answer, Prepare, Workload, make, ours
from harness.cell import Protocol
from harness.training import conv4

ROUNDS = 15
AGREEMENT = 1e-9
"""The most that a program may differ in float64, see `difference`."""
REFERENCE = "torch"
"""The package whose first program the others are compared with in float64."""
OURS = "harness"
PEAK = "matrix product"

Say = Callable[[str], Any]
"""Called with a line of text for each step of the bench."""


class Disagreement(Exception):
    """A program computes something else: its times would mean nothing."""


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A program of the bench before it is prepared."""

    package: str
    """`harness`, or one of peers.PEERS."""
    layout: str | None
    """Memory layout of a peer's images and weights; None: ours has only one."""
    prepare: Prepare


def contenders(
    only: Sequence[str] = (), layouts: Sequence[str] = tuple(peers.LAYOUTS)
) -> tuple[dict[str, Contender], dict[str, str]]:
    """The programs by name, ours first, and the libraries left out, each with the reason.

    only: packages to compare with; none: all. The plain loop is always there: it is the reference.
    layouts: of images, see peers.programs.
    """
    programs, left_out = {OURS: Contender(package=OURS, layout=None, prepare=ours)}, {}
    for package in peers.PEERS:
        if package != REFERENCE and only and package not in only:
            left_out[package] = "not asked for"
        elif reason := peers.missing(package):
            left_out[package] = reason
        else:
            for name, layout, prepare in peers.programs(package, layouts):
                programs[name] = Contender(package=package, layout=layout, prepare=prepare)
    return programs, left_out


def differences(
    programs: dict[str, Contender], protocol: Protocol, device: str = "cpu", cells: int = 1
) -> dict[str, float]:
    """How far each program is from the plain loop in float64: the difference of the losses, or the largest
    difference of the meta-gradients over the largest entry, whichever is larger. Of a pack, the first and
    the last cell count. Raises Disagreement above AGREEMENT.

    Each runs twice and the second answer counts: nothing may be left over from the first.
    """
    work = make(protocol.model_copy(update={"precision": "float64"}), device, cells)
    answers = {name: _ends(one, work) for name, one in programs.items()}
    reference = next(answers[name] for name, one in programs.items() if one.package == REFERENCE)
    by_name = {name: _difference(answer, reference) for name, answer in answers.items()}
    for name, difference in by_name.items():
        if not difference <= AGREEMENT:  # nan too
            raise Disagreement(
                f"{name}: differs by {difference:.1e} in float64; at most {AGREEMENT:g} is allowed"
            )
    return by_name


def _ends(one: Contender, work: Workload) -> Answer:
    """The answer for the first and the last cell: ours from the whole pack, a peer's one by one."""
    ends = sorted({0, len(work.weights) - 1})
    answers = []
    for part in [work] if one.package == OURS else [work.cell(which) for which in ends]:
        program = one.prepare(part)
        program.step()
        answers.append(program.answer(program.step()))
    whole = Answer(*(torch.cat(same) for same in zip(*answers, strict=True)))
    return Answer(whole.loss[ends], whole.gradient[ends]) if one.package == OURS else whole


def _difference(answer: Answer, reference: Answer) -> float:
    """nan if anything is nan, which Python's `max` might drop."""
    by_loss = (answer.loss - reference.loss).abs()
    by_gradient = (answer.gradient - reference.gradient).abs().amax(1) / reference.gradient.abs().amax(1)
    return float(torch.cat([by_loss, by_gradient]).max())


def measure(
    protocol: Protocol = PAPER,
    rounds: int = ROUNDS,
    only: Sequence[str] = (),
    say: Say = lambda line: None,
) -> dict[str, Any]:
    """What bench.json holds, except for the curves. Raises Disagreement before anything is timed."""
    programs, left_out = contenders(only)
    for package, reason in left_out.items():
        say(f"{package}: left out, {reason}")
    with threads(1):
        differing = differences(programs, protocol)
        say(f"{len(programs)} programs agree in float64 to {max(differing.values()):.1e}")
        say(f"timing {rounds} rounds, after {timing.WARM_UP} to warm up")
        work = make(protocol)
        steps = {name: one.prepare(work).step for name, one in programs.items()}
        seconds = timing.interleaved(steps | {PEAK: floor.product(work.device)}, rounds)
    peak = floor.peak_gflops(seconds.pop(PEAK))
    times = {name: timing.summary(measured) for name, measured in seconds.items()}
    return {
        "machine": machine.facts("cpu"),
        "versions": machine.versions(),
        "problem": protocol.label,
        "threads": 1,
        "compiled": conv4.compiled(protocol, work.weights),
        "rounds": rounds,
        "programs": [row(name, programs[name]) | asdict(of_it) for name, of_it in times.items()],
        **compared(programs, {name: of_it.median_ms for name, of_it in times.items()}),
        **against_floor(protocol, peak, times[OURS].median_ms),
        "max_float64_difference": max(differing.values()),
        "float64_differences": differing,
        "not_installed": left_out,
    }


def row(name: str, one: Contender) -> dict[str, Any]:
    """What names a program in the result."""
    return {"name": name, "package": one.package, "layout": one.layout}


def compared(programs: dict[str, Contender], medians: dict[str, float]) -> dict[str, Any]:
    """Each library's fastest program, the fastest of them, and our time over its time; None without any."""
    best = {
        package: min((n for n, one in programs.items() if one.package == package), key=medians.__getitem__)
        for package in peers.LIBRARIES
        if any(one.package == package for one in programs.values())
    }
    fastest = min(best.values(), key=medians.__getitem__, default=None)
    ratio = round(medians[OURS] / medians[fastest], 4) if fastest else None
    return {"peers": best, "fastest_peer": fastest, "ours_over_fastest_peer": ratio}


def against_floor(protocol: Protocol, peak: float, ours_ms: float) -> dict[str, Any]:
    """The floor in milliseconds and what it follows from, and our time over it."""
    least = floor.floor_ms(protocol, peak)
    return {
        "multiply_adds": floor.multiply_adds(protocol),
        "peak_gflops": round(peak, 2),
        "floor_ms": round(least, 3),
        "ours_over_floor": round(ours_ms / least, 4),
    }
