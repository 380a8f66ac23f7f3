"""Which cells a part of Figure 1 shows."""

import pandas as pd

from harness.plots.lines import matches
from tests.plots import synthetic
from tests.readings import reading


def test_where_ignores_what_a_method_lacks():
    trials = synthetic.trials(synthetic.figure1_cells())
    shown = trials[matches(trials, {"alpha0": [1e-4], "beta_hyperlr": 1e-6})]
    assert (shown["method"] == "maml").sum() == 1
    assert set(shown["beta_hyperlr"].dropna()) == {1e-6}
    assert set(shown["alpha0"]) == {1e-4}
    assert not matches(trials, {"method": "none"}).any()


def test_a_protocol_is_found_by_its_preset_and_changes():
    """Whatever the tables' label says."""
    plain = synthetic.trials(synthetic.figure1_cells())
    other = plain.assign(**reading("paper-adam, meta_batch=8, k_shot=5"))
    both = pd.concat([plain, other], ignore_index=True).assign(protocol="a label is not read")
    assert matches(both, {"protocol": "paper-adam"}).tolist() == [True] * len(plain) + [False] * len(other)
    named = matches(both, {"protocol": ["paper-adam, k_shot=5, meta_batch=8"]})  # in the order of the fields
    assert named.tolist() == [False] * len(plain) + [True] * len(other)
