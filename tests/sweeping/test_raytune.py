"""How the process that runs Ray continues when workers die or Ray ends a whole run, without starting Ray."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness import records
from harness.cell import Cell, Question
from harness.sweeping import raytune
from harness.sweeping.runner import Machine, Pack
from tests.training.runs import cell

QUESTION = Question(target_loss=None, max_iterations=5)


class Fake:
    """Stands in for one `fit()` after the other, each of which takes what it does from `script`, and for the
    connection to the supervisor."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, script: Iterator) -> None:
        self.script = script
        self.submitted: list[list[Pack]] = []
        self.recorded: dict[str, str] = {}
        monkeypatch.setattr(raytune, "_fit", self.fit)

    def fit(self, packs: Sequence[Pack], *more: object) -> dict[str, str]:
        self.submitted.append(list(packs))
        return next(self.script)(packs)

    def send(self, message: tuple[str, bytes]) -> None:
        assert message[0] == "record"
        header = records.load_header(message[1])
        assert header.cell.cell_id not in self.recorded
        self.recorded[header.cell.cell_id] = header.error or header.ending

    def run(self, packs: Sequence[Pack]) -> str | None:
        raytune._current = raytune._Sweep(connection=self, cells={})
        return raytune._run(packs, QUESTION, Machine(device="cpu", jobs=2), Path())


def finish(*cells: Cell) -> None:
    for one in cells:
        raytune._current.record(records.dump(records.make(one, "budget", [], {})))


def cells(count: int) -> list[Cell]:
    return [cell(seed=seed) for seed in range(count)]


def test_what_ray_left_is_submitted_again_as_long_as_that_finishes_cells(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two cells of eight a round, then the memory monitor ends it: four rounds, no failed record."""
    eight = cells(8)

    def two(packs: Sequence[Pack]) -> dict[str, str]:
        finish(*(pack[0] for pack in packs[:2]))
        return {}

    fake = Fake(monkeypatch, iter([two] * 4))
    assert fake.run([(one,) for one in eight]) is None
    assert [len(packs) for packs in fake.submitted] == [8, 6, 4, 2]
    assert set(fake.recorded.values()) == {"budget"}
    assert len(fake.recorded) == 8


def test_rounds_that_finish_nothing_end_without_failed_records(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Fake(monkeypatch, iter([lambda packs: {}] * raytune.ATTEMPTS))
    assert "out of memory?" in fake.run([(one,) for one in cells(3)])
    assert len(fake.submitted) == raytune.ATTEMPTS
    assert fake.recorded == {}  # the next sweep runs them


def test_only_the_unfinished_part_of_a_pack_is_submitted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    four = tuple(cells(4))

    def dies(packs: Sequence[Pack]) -> dict[str, str]:
        finish(*four[:3])
        return {one.cell_id: "ActorDiedError: killed" for one in packs[0]}

    def ends(packs: Sequence[Pack]) -> dict[str, str]:
        finish(*packs[0])
        return {}

    fake = Fake(monkeypatch, iter([dies, ends]))
    fake.run([four])
    assert fake.submitted == [[four], [four[3:]]]
    assert set(fake.recorded.values()) == {"budget"}


def test_a_worker_that_always_dies_is_a_failed_record_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bad, good = cells(2)

    def round_(packs: Sequence[Pack]) -> dict[str, str]:
        finish(*(pack[0] for pack in packs if pack[0] == good))
        return {bad.cell_id: "ActorDiedError: killed"}

    fake = Fake(monkeypatch, iter([round_] * raytune.ATTEMPTS))
    fake.run([(bad,), (good,)])
    assert fake.recorded == {good.cell_id: "budget", bad.cell_id: "ActorDiedError: killed"}
    assert [len(packs) for packs in fake.submitted] == [2, 1, 1]


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (
            "Traceback\n  File x\nray.exceptions.ActorDiedError: it died\n  more",
            "ray.exceptions.ActorDiedError: it died",
        ),
        ("only this", "only this"),
        ("", "no message"),
    ],
)
def test_the_line_that_names_the_error(report: str, line: str) -> None:
    assert raytune._line(report) == line


@pytest.mark.parametrize(
    ("free", "kind", "words"),
    [(0, "ended", "no room is left for Ray's temporary files"), (1 << 40, "broken", "OSError: by itself")],
)
def test_an_error_is_told_from_a_folder_that_has_filled_up(
    free: int, kind: str, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sent: list[tuple[str, str]] = []

    class Supervisor:
        def __init__(self, handle: int) -> None:
            self.sent = iter([[], ((), QUESTION, Machine(device="cpu", jobs=2), tmp_path)])

        def recv(self) -> object:
            return next(self.sent)

        def send(self, message: tuple[str, str]) -> None:
            sent.append(message)

    def fails(*asked: object) -> None:
        raise OSError("by itself")

    monkeypatch.setattr(raytune, "Connection", Supervisor)
    monkeypatch.setattr(raytune.raystart, "_in_background", lambda wait: None)
    monkeypatch.setattr(raytune.raystart, "start", fails)
    monkeypatch.setattr(raytune.raystart, "GRACE_S", 0.0)
    monkeypatch.setattr(raytune.raystart.shutil, "disk_usage", lambda folder: SimpleNamespace(free=free))
    raytune.serve(0)
    assert [message[0] for message in sent] == [kind]
    assert words in sent[0][1]
