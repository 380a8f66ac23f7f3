"""The figure of the bench, from made-up numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.plots import bench


def made(curves: bool = True, **other: object) -> dict:
    """bench.json, as far as the figure reads it."""
    times = {"harness": 50.0, "higher 0.2.1 innerloop_ctx, contiguous": 100.0}
    rows = [
        {"varied": varied, "value": value, "program": name, "floor_ms": 10.0 * value}
        | {"median_ms": ms * value, "q1_ms": 0.9 * ms * value, "q3_ms": 1.1 * ms * value}
        for varied in ("n_way", "threads", "pack")
        for value in (1, 2, 4)
        for name, ms in times.items()
        if varied != "pack" or name == "harness"
    ]
    return {
        "machine": {"device": "cpu (made up)", "vector_unit": "AVX2", "system": "Linux"},
        "problem": "paper-adam",
        "rounds": 3,
        "threads": 1,
        "programs": [
            {"name": name, "median_ms": ms, "q1_ms": 0.9 * ms, "q3_ms": 1.1 * ms}
            for name, ms in times.items()
        ],
        "floor_ms": 20.0,
        "ours_over_fastest_peer": 0.5,
        "ours_over_floor": 2.5,
        **({"curves": rows} if curves else {}),
        **other,
    }


def test_a_row_for_each_program_and_a_panel_for_each_curve() -> None:
    axes = {ax.get_label(): ax for ax in bench.draw(made()).axes}
    assert list(axes) == ["programs", "n_way", "threads", "pack", "key"]
    names = [label.get_text() for label in axes["programs"].get_yticklabels()]
    assert names == ["harness", "higher 0.2.1 innerloop_ctx, contiguous"]
    dashed = [line for line in axes["programs"].lines if line.get_linestyle() == "--"]
    assert [line.get_xdata()[0] for line in dashed] == [20.0]


def test_a_pack_is_drawn_per_cell_and_threads_without_a_floor() -> None:
    axes = {ax.get_label(): ax for ax in bench.draw(made()).axes}
    ours, floor = axes["pack"].lines
    assert list(ours.get_ydata()) == [50.0, 50.0, 50.0]
    assert list(floor.get_ydata()) == [10.0, 10.0, 10.0]
    assert len(axes["threads"].lines) == 2  # the two programs
    assert len(axes["n_way"].lines) == 3
    assert list(axes["n_way"].lines[0].get_ydata()) == [50.0, 100.0, 200.0]


def test_what_it_says() -> None:
    texts = [text.get_text() for text in bench.draw(made(curves=False)).texts]
    assert "takes 0.50 times as long as the fastest library and 2.50 times the floor" in texts[1]
    alone = bench.draw(made(curves=False, ours_over_fastest_peer=None))
    assert "harness takes 2.50 times the floor" in alone.texts[1].get_text()
    assert [ax.get_label() for ax in alone.axes] == ["programs"]


def test_throughput_on_a_device() -> None:
    rows = [
        {"name": name, "precision": "float32", "cells": cells, "cell_iterations_per_second": rate}
        for name, cells, rate in (("harness engine", 185, 900.0), ("torch 2.13.0 plain loop", 1, 9.0))
    ]
    fig = bench.draw(made(curves=False, programs=rows, throughput_ratios={}))
    (ax,) = fig.axes
    assert next(label.get_text() for label in ax.get_yticklabels()) == "harness engine, float32"
    assert [line.get_xdata()[0] for line in ax.lines] == [900.0, 9.0]


def other(cells: int, ratio: float | None) -> dict:
    """A part of `general` in bench.json."""
    names = ["harness", "higher, contiguous", "higher, channels-last", "torch plain loop"]
    return {
        "name": f"of {cells}",
        "title": "a network",
        "cells": cells,
        "rounds": 5,
        "programs": [
            {"name": name, "median_ms": ms, "q1_ms": ms, "q3_ms": ms, "cell_iterations_per_second": 1e3 / ms}
            for name, ms in zip(names, (50.0, 110.0, 100.0, 90.0), strict=True)
        ],
        "peers": {"higher": "higher, channels-last"},
        "ours_over_fastest_peer": ratio,
    }


def test_other_networks_have_a_panel_with_the_fastest_of_each_library() -> None:
    fig = bench.draw(made(general=[other(1, 0.5), other(64, 0.04)]))
    axes = {ax.get_label(): ax for ax in fig.axes}
    assert list(axes) == ["programs", "of 1", "of 64", "n_way", "threads", "pack", "key"]
    names = [label.get_text() for label in axes["of 1"].get_yticklabels()]
    assert names == ["harness", "higher, channels-last"]
    assert axes["of 1"].get_xlabel() == "ms per meta-iteration"
    assert axes["of 64"].get_xlabel().startswith("cells")
    said = [axes[name].get_title("left") for name in ("of 1", "of 64")]
    assert said[0] == "a network, 5 rounds: harness takes 0.50 times as long as the fastest library"
    assert said[1] == "a network, 5 rounds: harness trains 64 cells, 25.0 times as many a second"
    tops = [axes[name].get_position().y1 for name in ("programs", "of 1", "of 64", "n_way")]
    assert tops == sorted(tops, reverse=True)


def test_without_a_library_there_is_no_ratio() -> None:
    fig = bench.draw(made(curves=False, general=[other(64, None)]))
    assert fig.axes[1].get_title("left") == "a network, 5 rounds"


@pytest.mark.parametrize("curves", [False, True])
def test_the_same_numbers_the_same_bytes(curves: bool, tmp_path: Path) -> None:
    first = [path.read_bytes() for path in bench.render(made(curves), tmp_path / "a")]
    again = [path.read_bytes() for path in bench.render(made(curves), tmp_path / "b")]
    assert first == again
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.pdf",
        "a.png",
        "a.svg",
        "b.pdf",
        "b.png",
        "b.svg",
    ]
