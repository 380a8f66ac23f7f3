"""A grid's protocol and readings as its file has them, written out as whole protocols; and what is wrong with
them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from harness.cell import Protocol, model_of, preset_of, presets, protocol_of
from harness.grids import mistakes, strictyaml
from harness.grids.grid import unshared
from harness.grids.mistakes import Mistake, show, suggest
from harness.grids.strictyaml import Place, refusal
from harness.problems import PROBLEMS
from harness.problems.datasets import DATASETS
from harness.problems.networks import NETWORKS

Unknown = Callable[[Place], str]
"""What to say of a key that may not be at a place."""


def written_out(
    whole: dict[str, Any], document: strictyaml.Document, unknown: Unknown, dataset: str | None
) -> tuple[dict[str, Any], list[Mistake]]:
    """A grid's data with its protocol and its readings as whole protocols, and what is wrong with these.

    None stands for a protocol or readings that something is wrong with; the readings are those of a
    protocol that is right. UserError: `dataset` is given, and the problem has no data set.
    """
    given, readings = whole.get("protocol", {}), whole.get("readings")
    if not isinstance(given, dict):
        return whole, []
    nothing = {"protocol": None} | ({"readings": None} if "readings" in whole else {})
    if wrong := list(_unknown_names(given, "preset")) or list(_contradiction(given)):
        return whole | nothing, [_beneath(("protocol",), one) for one in wrong]
    preset = named_preset(given)
    fields, written = _fields(given, preset, dataset)
    if dataset is not None and written is None:
        raise refusal(
            f"data set {show(dataset)}: {document.name}: the problem {fields['problem']} has no data sets"
        )
    protocol, wrong = _protocol(fields, document, unknown, ("protocol",))
    if protocol is None:
        return whole | nothing, wrong
    if dataset not in (None, written):
        whole = whole | {"folder": f"{whole['name']}-{dataset}"}
    whole = whole | {"preset": preset, "protocol": protocol}
    if isinstance(readings, tuple):
        made, wrong = _readings(readings, protocol, document, unknown)
        if not readings:
            wrong = [Mistake(("readings",), "the list is empty; leave it out")]
        whole = whole | {"readings": None if wrong else made}
    return whole, wrong


def _unknown_names(fields: dict[str, Any], *more: str) -> Iterator[Mistake]:
    """Names in a protocol or a reading that nothing has, before its fields can be known. Places are within
    it."""
    for key, what, known in (
        *((one, one, presets()) for one in more),
        ("problem", "problem", PROBLEMS.known()),
        ("network", "network", NETWORKS.known()),
        ("dataset", "data set", DATASETS.known()),
    ):
        name = fields.get(key)
        if key in fields and (not isinstance(name, str) or name not in known):
            yield Mistake((key,), f"{show(name)} is not a {what}; {suggest(name, known)}")


def _contradiction(protocol: dict[str, Any]) -> Iterator[Mistake]:
    """A preset and a problem that is not the preset's."""
    if "preset" in protocol and "problem" in protocol:
        its = preset_of(protocol["preset"]).problem
        if protocol["problem"] != its:
            text = f"the preset {protocol['preset']} has the problem {its}; leave one of them out"
            yield Mistake(("problem",), text)


def named_preset(protocol: dict[str, Any]) -> str:
    """The preset of a protocol as it was written: the problem's own if it names a problem alone."""
    if "preset" in protocol or protocol.get("problem", "few-shot") == "few-shot":
        return protocol.get("preset", "paper-adam")
    return protocol["problem"]


def _fields(protocol: dict[str, Any], preset: str, dataset: str | None) -> tuple[dict[str, Any], str | None]:
    """All fields of a protocol as it was written, and the data set that is written; None: its problem has
    none."""
    given = {key: value for key, value in protocol.items() if key != "preset"}
    base = preset_of(preset).model_dump()
    written = given.get("dataset", base.get("dataset"))
    if written is not None:
        base |= DATASETS[dataset or written].fields
        given["dataset"] = dataset or written
    return _over(base, given), written


def _over(base: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The given fields, and those of a whole protocol that one with these has too: another network starts
    from its own defaults."""
    fields = set(model_of({**base, **given}).model_fields)
    if given.get("network", base["network"]) != base["network"]:
        fields -= NETWORKS[base["network"]].Fields.model_fields.keys()
    return {key: value for key, value in base.items() if key in fields} | given


def _protocol(
    fields: dict[str, Any], document: strictyaml.Document, unknown: Unknown, place: Place
) -> tuple[Protocol | None, list[Mistake]]:
    """The protocol of these fields, or None and what is wrong with it."""
    try:
        return protocol_of(**fields), []
    except ValidationError as error:
        return None, mistakes.of_error(error, document, unknown, place)


def _readings(
    changes: tuple[Any, ...], protocol: Protocol, document: strictyaml.Document, unknown: Unknown
) -> tuple[tuple[Any, ...], list[Mistake]]:
    """The readings as whole protocols, and what is wrong with them. What is no mapping stays, for the model
    to refuse."""
    base = protocol.model_dump()
    wrong: list[Mistake] = []
    made: list[Any] = []
    for i, change in enumerate(changes):
        place: Place = ("readings", i)
        if not isinstance(change, dict):
            made.append(change)
        elif found := list(_unknown_names(change)) or list(_another_problem(change, protocol)):
            wrong += [_beneath(place, one) for one in found]
        else:
            reading, more = _protocol(_over(base, change), document, unknown, place)
            made.append(reading)
            wrong += more
    return tuple(made), wrong


def _another_problem(change: dict[str, Any], protocol: Protocol) -> Iterator[Mistake]:
    """Before the fields of a reading are looked at: those of another problem would all be unknown."""
    if (name := change.get("problem", protocol.problem)) != protocol.problem:
        yield Mistake(("problem",), unshared("problem", name, protocol.problem))


def _beneath(place: Place, one: Mistake) -> Mistake:
    return replace(one, place=place + one.place)
