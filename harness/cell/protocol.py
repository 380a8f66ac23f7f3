"""A protocol: everything that defines a run except what is swept. Its presets, and how people read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from pydantic import Field, create_model, model_validator

from harness.common.errors import UserError
from harness.common.frozen import Frozen, Identified
from harness.methods import Options
from harness.problems import PROBLEMS, Problem, few_shot, problem_of
from harness.problems.datasets import DATASETS
from harness.problems.networks import NETWORKS, Network, conv4
from harness.problems.perturbation import Perturbation
from harness.problems.setting import MAX_BYTES, Loops, Measuring


class Protocol(Perturbation, Measuring, Options, Loops, Identified):
    """Everything that defines a run except what is swept: a problem, a network, and what surrounds them.

    A protocol is of a class of its own for each problem and network, with the fields of both
    (`protocol_of`). Its base classes hold the loops that all problems share, the options of individual
    methods, how a run is measured, and the yardstick. Its canonical JSON is flat: a field may move between
    them without changing an id.
    """

    problem: str = Field("few-shot", description="few-shot, sinusoid or a problem of your own")
    network: str = Field("conv4", description="conv4, mlp or a network of your own")

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """The fields of its problem and network."""

    @property
    def problem_type(self) -> type[Problem]:
        """Its problem."""
        return PROBLEMS[self.problem]

    @property
    def chance_loss(self) -> float | None:
        """See Problem.chance."""
        return problem_of(self).chance

    @property
    def dataset_name(self) -> str | None:
        """The name of its data set; None: its problem draws its tasks."""
        return self.dataset if isinstance(self, few_shot.Fields) else None

    @property
    def data(self) -> str:
        """For people: its data set, or its problem."""
        return self.dataset_name or self.problem

    @property
    def gigabytes(self) -> float:
        """Memory that a cell needs in training on a CPU, roughly; 0: not known before it is tried."""
        return sum(self._memory.values()) / 1e9

    @cached_property  # each cell checks its protocol anew
    def _memory(self) -> dict[str, int]:
        return NETWORKS[self.network].memory(self)

    @model_validator(mode="before")
    @classmethod
    def _known(cls, data: Any) -> Any:
        if isinstance(data, dict):
            for key, known in (("problem", PROBLEMS), ("network", NETWORKS)):
                name = data.get(key)
                if isinstance(name, str) and name not in known:
                    raise ValueError(f"{key}: '{name}' is not a {key}; known: {', '.join(known.known())}")
        return data

    @model_validator(mode="after")
    def _whole(self) -> Protocol:
        if type(self) is Protocol:  # it would have other defaults, and so another id
            raise ValueError(
                "write protocol_of(...): a protocol has the fields of its problem and network too"
            )
        return self

    @model_validator(mode="after")
    def _affordable(self) -> Protocol:
        if sum((parts := self._memory).values()) > MAX_BYTES:
            largest = max(parts, key=lambda part: parts[part])
            raise ValueError(
                f"a cell needs about {self.gigabytes:,.0f} GB of memory, most of it for {largest}; at most "
                f"{MAX_BYTES / 1e9:,.0f} are allowed"
            )
        return self

    @property
    def identity(self) -> dict[str, Any]:
        """What its cells' ids are made of: its fields without those that have the default they were
        introduced with. A plug-in may change its defaults, so its fields are all there."""
        parts: tuple[type[Frozen], ...] = (Protocol, self.problem_type.Fields, NETWORKS[self.network].Fields)
        defaults = {
            name: field.default
            for fields in parts
            if is_ours(fields)
            for name, field in fields.model_fields.items()
        }
        dumped = self.model_dump()
        return {
            name: value for name, value in dumped.items() if name not in defaults or value != defaults[name]
        }

    @cached_property
    def preset(self) -> str:
        """The preset that it is. If it is none: the nearest of the first family of its problem, the one with
        the fewest fields to change; on a tie the first."""
        ours = [name for name in presets() if preset_of(name).problem == self.problem]
        near = [name for name in ours if name in FAMILIES[0] or not self.changes(name)] or ours
        return min(near, key=lambda name: len(self.changes(name)))

    def named(self, preset: str) -> Named:
        """As the tables of a grid with this preset keep it: beside the nearest preset of its family."""
        family = next((names for names in FAMILIES if preset in names), (preset,))
        nearest = min(family, key=lambda name: len(self.changes(name)))
        return nearest, self.changes(nearest)

    def changes(self, preset: str) -> dict[str, Any]:
        """The fields in which it differs from a preset, except for the data set: `{"k_shot": 5}`.

        Of a network that is not the preset's: those in which it differs from that network's defaults. What a
        data set of a user's own wants otherwise by default is no change either.
        """
        other = preset_of(preset).model_dump()
        if (data := DATASETS.get(self.dataset_name or "")) is not None:
            other |= {name: value for name, value in data.fields.items() if name in other}
        if other["network"] != self.network:
            own = NETWORKS[self.network].Fields.model_fields
            other |= {name: field.default for name, field in own.items()}
        mine = self.model_dump(exclude={"dataset"})
        return {name: value for name, value in mine.items() if name not in other or value != other[name]}

    @cached_property
    def label(self) -> str:
        """For people: its nearest preset and what differs, `paper-adam, k_shot=5`."""
        return label(self.preset, self.changes(self.preset))

    def __reduce__(self) -> Any:
        """Its class is made at run time, so another process makes both anew."""
        return _again, (self.model_dump(),)


def _again(fields: dict[str, Any]) -> Protocol:
    return protocol_of(**fields)


def protocol_of(**fields: Any) -> Protocol:
    """The protocol with these fields; the defaults are `paper-adam`, or what its problem and data set want.

    A list, as JSON has it, is a tuple. ValidationError: a field that neither the problem nor the network has,
    or a value out of range.
    """
    fields = with_tuples(fields)
    return model_of(fields).model_validate(fields, strict=True)


def with_tuples(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The same with tuples in place of lists."""
    return {**fields, **{name: tuple(value) for name, value in fields.items() if isinstance(value, list)}}


def model_of(fields: Mapping[str, Any]) -> type[Protocol]:
    """The class of the protocol with these fields: that of its problem and network. A name that is not
    known, or not a name at all, is left to it to refuse."""
    problem = fields.get("problem", "few-shot")
    if not isinstance(problem, str) or problem not in PROBLEMS:
        return Protocol
    network = fields.get("network", PROBLEMS[problem].network)
    if not isinstance(network, str) or network not in NETWORKS:
        network = PROBLEMS[problem].network
    return _model(problem, PROBLEMS[problem], network, NETWORKS[network])  # type: ignore[arg-type]


@lru_cache(maxsize=256)
def _model(name: str, problem: type[Problem], network: str, built: Network) -> type[Protocol]:
    """The class of the protocols of this problem and network."""
    own: dict[str, type[Frozen]] = {f"problem '{name}'": problem.Fields, f"network '{network}'": built.Fields}
    taken = dict.fromkeys(Protocol.model_fields, "every protocol")
    if not issubclass(problem.Fields, few_shot.Fields):  # it would be looked for among the data sets
        taken["dataset"] = "few-shot classification"
    for brings, fields in own.items():
        for field in fields.model_fields:
            if field in taken or hasattr(Protocol, field):
                raise UserError(
                    f"{brings}: its field {field} is already one of {taken.get(field, 'every protocol')}"
                )
            if isinstance(fields.model_fields[field].default, list | dict | set):
                raise UserError(f"{brings}: the default of its field {field} can be changed; write a tuple")
            taken[field] = brings
    defaults: dict[str, Any] = dict(problem.preset)
    if name != "few-shot":  # whose preset is the paper's own
        defaults["network"] = problem.network
    changed: dict[str, Any] = {}
    for field, value in defaults.items():
        if field not in Protocol.model_fields:
            raise UserError(
                f"problem '{name}': its preset has {field}, which is not a field of every protocol"
            )
        info = copy(Protocol.model_fields[field])
        info.default = value
        changed[field] = (info.annotation, info)
    bases: Any = (Protocol, *(base for base in (built.Fields, problem.Fields) if base is not Frozen))
    return create_model(f"Protocol[{name}, {network}]", __base__=bases, **changed)


Named = tuple[str, Mapping[str, Any]]
"""A protocol as the tables keep it: the name of a preset, and the fields that differ from it."""


def label(preset: str, changes: Mapping[str, Any]) -> str:
    """A protocol in words. For people: no code reads it."""
    return ", ".join([preset, *_words(changes)])


@lru_cache(maxsize=4096)
def label_beside(preset: str, protocol: Protocol) -> str:
    """A protocol in the words of a grid with this preset. Kept: each cell of a grid asks for it."""
    return label(*protocol.named(preset))


def _words(changes: Mapping[str, Any]) -> list[str]:
    """In the order of the protocol's fields."""
    places = {name: at for at, name in enumerate(dict.fromkeys(_IN_WORDS))}
    ordered = sorted(changes, key=lambda name: places.get(name, len(places)))
    return [f"{name}={changes[name]}" for name in ordered]


_IN_WORDS = (
    *(name for name in few_shot.Fields.model_fields if name != "loss_scale"),
    *("meta_batch", "inner_steps", "first_order", *conv4.Fields.model_fields, "loss_scale"),
    *Protocol.model_fields,
)
"""The order of fields in labels, of which the reference's tables are full; those of other problems and
networks come last."""


def labels(protocols: Sequence[Named]) -> list[str]:
    """Each protocol in words, without what it shares with the first of them.

    >>> labels([("paper-adam", {}), ("paper-adam", {"k_shot": 5})])
    ['paper-adam', 'k_shot=5']
    """
    return [_beside(protocols[0], protocol) for protocol in protocols]


def _beside(first: Named, protocol: Named) -> str:
    preset, changes = protocol
    more = {name: value for name, value in changes.items() if (name, value) not in first[1].items()}
    if preset != first[0] or not more or len(more) + len(first[1]) != len(changes):
        return label(preset, changes)
    return ", ".join(_words(more))


def is_ours(fields: type[Any]) -> bool:
    """Whether a class of fields is part of this project, whose defaults never change."""
    return fields.__module__.partition(".")[0] == "harness"


PRESETS: dict[str, Protocol] = {
    "paper-adam": protocol_of(),
    "paper-sgd": protocol_of(task_reduction="sum", meta_optimizer="sgd"),
    "omniglot-5way": protocol_of(n_way=5, meta_batch=8, filters=16),
    "sinusoid": protocol_of(problem="sinusoid"),
    "league-5way": protocol_of(n_way=5, meta_batch=8, filters=16),
    "league-5way-sum": protocol_of(
        n_way=5, meta_batch=8, filters=16, loss_scale="sum_over_shots", head_init="normal"
    ),
    "league-sinusoid": protocol_of(problem="sinusoid"),
}
"""The two readings of the paper: the original MAML's meta-optimizer and mean; Algorithm 2 to the letter. A
smaller problem for a CPU. MAML's regression. The problems of the league: these two, and the smaller one with
the loss and the head of the original MAML's code."""


def presets() -> list[str]:
    """The names of all presets. A problem that a plug-in brings has one of its own name.

    UserError: a problem has the name of a preset of another.
    """
    for name in PROBLEMS:
        if name in PRESETS and PRESETS[name].problem != name:
            raise UserError(f"problem '{name}': a preset has this name; choose another")
    return list(dict.fromkeys((*PRESETS, *(name for name in PROBLEMS if name != "few-shot"))))


def preset_of(name: str) -> Protocol:
    """A preset by its name. KeyError: there is none of this name."""
    return PRESETS[name] if name in PRESETS else protocol_of(problem=PROBLEMS[name].name)


FAMILIES = (("paper-adam", "paper-sgd"),)
"""Presets that name each other's readings. A later one stands alone, so that it renames no table."""
