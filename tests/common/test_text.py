from harness.common.text import halves


def test_a_median_of_counts_keeps_its_half():
    assert [halves(value) for value in (60, 60.5, 61.5, 1234567.0)] == ["60", "60.5", "61.5", "1234567"]
