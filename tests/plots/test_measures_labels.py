"""Names beside marks: which could be taken for another mark's."""

from harness.plots.measures.labels import Mark, ambiguous


def test_a_name_is_ambiguous_if_another_mark_is_about_as_near():
    mark, middle = Mark(at=(1.0, 1.0), text="a", size=(0.4, 0.1)), (1.0, 1.2)  # 0.15 below the name
    assert not ambiguous(mark, middle, [])
    assert not ambiguous(mark, middle, [(1.0, 1.5)])  # 0.25 above it
    assert ambiguous(mark, middle, [(1.0, 1.5), (1.0, 1.4)])  # 0.15
    assert ambiguous(mark, middle, [(1.3, 1.2)])  # 0.1 to its right
