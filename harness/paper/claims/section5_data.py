"""The claim of Section 5 on the data: C16. Judged by the data set's description, not by records."""

from __future__ import annotations

from typing import Any

from harness.paper.claims.claim import Claim
from harness.paper.judging.logic import all_of, verdict
from harness.paper.judging.verdict import Form, Judged, Verdict
from harness.paper.reading import Facts, Records

DATA = {
    "characters": 1623,
    "alphabets": 50,
    "drawings_per_character": 20,
    "train_characters": 1200,
    "validation_characters": 423,
    "in_both": 0,
}
"""The paper's data, by the keys of results/reference/omniglot.json; in_both: characters in both splits."""


def _c16(records: Records, facts: Facts) -> Judged:
    data = facts.data
    if data is None:
        why = "the data set is not described: results/reference/omniglot.json is missing"
        return Judged(strict=Form(verdict=Verdict.OPEN, why=why))
    ours: dict[str, Any] = {key: data.get(key) for key in DATA}
    parts = {key: None if ours[key] is None else ours[key] == value for key, value in DATA.items()}
    why = ", ".join(f"{key.replace('_', ' ')}: {value}" for key, value in ours.items())
    return Judged(strict=Form(verdict=verdict(all_of(parts.values())), why=why), numbers=ours)


C16 = Claim(
    key="C16",
    place="Section 5",
    sentence="Omniglot comprises 20 instances (drawn by 20 different people) of 1,623 "
    "characters from 50 alphabets. ... To keep the procedure the same as MAML, we "
    "also randomly select 1,200 characters for training, and use the rest for "
    "testing.",
    short="the data set and its split",
    strict="1,623 characters of 50 alphabets, 20 drawings each; 1,200 for training, the other 423 held out",
    everywhere=False,
    judge=_c16,
)
