"""Protocols in words: made of preset and changes, whatever the column `protocol` says."""

import pandas as pd

from harness.analysis import labels
from tests.analysis.tables import table, trial
from tests.readings import reading

NAMES = ("paper-adam", "paper-adam, meta_batch=8", "paper-sgd", "paper-adam")
TRIALS = table(*(trial(str(k), 5, **reading(name)) for k, name in enumerate(NAMES)))
TRIALS = TRIALS.assign(protocol="a label is not read")


def test_each_protocol_once_in_the_order_of_the_table():
    assert labels.of_trials(TRIALS) == [
        ("paper-adam", {}),
        ("paper-adam", {"meta_batch": 8}),
        ("paper-sgd", {}),
    ]
    assert labels.words(TRIALS) == {
        ("paper-adam", "{}"): "paper-adam",
        ("paper-adam", '{"meta_batch": 8}'): "meta_batch=8",
        ("paper-sgd", "{}"): "paper-sgd",
    }
    assert labels.one_line(labels.of_trials(TRIALS)) == "paper-adam; meta_batch=8; paper-sgd"


def test_each_row_has_the_place_and_the_name_of_its_protocol():
    shuffled = TRIALS.set_index(pd.Index([7, 7, 3, 0]))
    assert labels.positions(shuffled).tolist() == [0, 1, 2, 0]
    assert labels.in_full(shuffled).tolist() == list(NAMES)
    assert labels.in_full(shuffled).index.tolist() == [7, 7, 3, 0]
