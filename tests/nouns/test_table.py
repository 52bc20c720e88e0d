"""One table for the screen, the notebook and the short form of every result."""

import pytest

from unscatter.diffuse.demonstration import simulate_demonstration
from unscatter.diffuse.refine.order import refine_order
from unscatter.diffuse.supercell import draw_supercell
from unscatter.nouns.cell import Cell
from unscatter.nouns.order import OrderTargets
from unscatter.nouns.table import PLOTS, Result, Table, with_error

TABLE = Table(
    "two <vectors>",
    (("(1 0 0)", "-0.25"), ("(2 & 0)", "1.5")),
    ("vector", "alpha"),
    "lr",
    ("note: R < 1",),
)


def test_columns_of_text_stand_below_each_other():
    assert TABLE.text() == "two <vectors>\n  vector   alpha\n  (1 0 0)  -0.25\n  (2 & 0)    1.5\n  note: R < 1"


def test_names_and_values_need_no_headings():
    assert Table("", (("a", "1"), ("long", "2"))).text() == "a     1\nlong  2"
    assert Table("none", ()).text() == "none"


def test_html_is_escaped_and_has_every_cell():
    page = TABLE.html()
    for words in ("two &lt;vectors&gt;", "(2 &amp; 0)", "R &lt; 1", "<th>alpha</th>", "text-align:right"):
        assert words in page
    assert page.count("<tr>") == 3


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (-4.3123, 0.12, "-4.31(12)"),
        (0.05, 0.0001, "0.05000(10)"),
        (1234.0, 25.0, "1234 (25)"),
        (2.5, float("nan"), "2.5"),
        (2.5, 0.0, "2.5"),
        (2.5, float("inf"), "2.5"),
    ],
)
def test_a_standard_uncertainty_is_in_units_of_the_last_digits(value, error, text):
    assert with_error(value, error) == text


@pytest.fixture(scope="module")
def results() -> list[Result]:
    truth = simulate_demonstration(pixels=64)
    fit = refine_order(truth, laue="6/m", vectors=[(1, 0, 0), (2, 0, 0)], bootstrap=5)
    targets = OrderTargets([[1, 0, 0]], [0.2], [0.01], "6/m")
    return [truth, fit, draw_supercell(targets, Cell(5, 5, 5, 90, 90, 120), box=(8, 8, 1), boxes=1, sweeps=2)]


def test_the_short_form_is_one_short_line(results):
    for result in results:
        assert len(repr(result)) < 200, repr(result)
        assert "\n" not in repr(result)
        assert repr(result).startswith(f"<{type(result).__name__}: ")
    assert "Laue class 6/m" in repr(results[1])


def test_every_result_shows_the_same_on_screen_and_in_a_notebook(results):
    for result in results:
        assert str(result) == result.describe() == result.table().text()
        for row in result.table().rows:
            assert row[0] in str(result)
        assert result._repr_html_().startswith(result.table().html())


def test_every_result_draws_itself(results):
    for result in results:
        assert result.plot().axes
        assert type(result).__name__ in PLOTS


def test_words_too_long_for_a_line_go_on_in_the_next_without_a_name() -> None:
    table = Table("", (("one", "a bc def"), ("two", ""))).wrapped(4)
    assert table.text() == "one  a bc\n     def\ntwo"
