import pytest

from harness.common.text import bytes_of, clean, counted, halves, listed, named_error, number, size


def test_a_median_of_counts_keeps_its_half():
    assert [halves(value) for value in (60, 60.5, 61.5, 1234567.0)] == ["60", "60.5", "61.5", "1234567"]


def test_counts_agree_with_their_nouns():
    assert [counted(n, "cell") for n in (0, 1, 2)] == ["0 cells", "1 cell", "2 cells"]
    assert counted(3, "entry", "entries") == "3 entries"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain [red]text[/red] :smile:", "plain [red]text[/red] :smile:"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("C1: \x9b31m", r"C1: \x9b31m"),
        ("two\nlines\r\nand\ttabs\x85\u2028", "two lines  and tabs  "),
        ("gnp.\u202exe\u2066", r"gnp.\u202exe\u2066"),
        ("not utf-8 \udcff", r"not utf-8 \udcff"),
        ("\x00\x7f\u200b\ufeff", r"\x00\x7f\u200b\ufeff"),
        (
            "学習率 α é e\u0301 \u0646\u0645\u06cc\u200c\u062e",
            "学習率 α é e\u0301 \u0646\u0645\u06cc\u200c\u062e",
        ),
    ],
)
def test_nothing_is_left_for_a_terminal_to_obey(text, shown):
    assert clean(text) == shown


def test_a_list_of_words() -> None:
    assert [listed(list("abc")[:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]


def test_rates_that_differ_look_different() -> None:
    assert [number(value) for value in (1e-3, 1.0000001e-3, 1 / 3, 1e-7, 100000.0, 0.0)] == [
        *("0.001", "0.0010000001", "0.3333333333333333", "1e-07", "100000", "0"),
    ]


def test_the_line_that_names_an_error() -> None:
    report = (
        "Traceback:\n  File x\nValueError: one\n\nduring\n ray.exceptions.ActorDiedError: two: 2 \nmore\n"
    )
    assert named_error(report) == "ray.exceptions.ActorDiedError: two: 2"
    assert named_error("all is well") is None


@pytest.mark.parametrize(
    ("written", "count"),
    [("2GiB", 2 << 30), ("2 gib", 2 << 30), ("500MB", 500_000_000), ("1.5k", 1500), ("0", 0), ("7B", 7)],
)
def test_a_size_is_read_as_people_write_it(written: str, count: int) -> None:
    assert bytes_of(written) == count


@pytest.mark.parametrize("written", ["", "two", "-1", "1e9", "2GiBs", "nan"])
def test_what_is_no_size_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=f"^{written}$"):
        bytes_of(written)


def test_a_size_is_written_in_three_digits() -> None:
    assert [size(n) for n in (0, 999, 1024, 1_500_000, 2 << 30)] == [
        "0 B",
        "999 B",
        "1 KiB",
        "1.43 MiB",
        "2 GiB",
    ]
