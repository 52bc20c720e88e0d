"""Which lattices a cell may be of, and where its fit begins."""

import pytest

from unscatter.nouns.cell import Cell
from unscatter.powder.demonstration import simulate_corundum
from unscatter.powder.refine.given_cell import admitted_lattices, lattice_of_cell, starts_of
from unscatter.powder.refine.lines import find_lines


@pytest.mark.parametrize(
    ("cell", "lattices"),
    [
        ((4, 4, 4, 90, 90, 90), "cP cI cF"),
        ((4, 4, 6, 90, 90, 90), "tP tI"),
        ((4, 4, 6, 90, 90, 120), "hP hR"),
        ((4, 5, 6, 90, 90, 90), "oP oC oI oF oC oC"),
        ((4, 5, 6, 90, 100, 90), "mP mC"),
        ((4, 5, 6, 80, 100, 95), "aP"),
    ],
)
def test_a_cell_admits_the_centrings_of_its_system(cell, lattices):
    assert " ".join(one.bravais for one in admitted_lattices(Cell(*cell))) == lattices


def test_rhombohedral_axes_are_a_third_of_the_hexagonal_cell():
    # Corundum, a = 5.1284, alpha = 55.28 deg.
    (found,) = admitted_lattices(Cell(5.1284, 5.1284, 5.1284, 55.28, 55.28, 55.28))
    assert found.bravais == "hR"
    assert found.cell.parameters == pytest.approx((4.758, 4.758, 12.99, 90, 90, 120), abs=0.005)
    assert found.volume == pytest.approx(3 * Cell(5.1284, 5.1284, 5.1284, 55.28, 55.28, 55.28).volume)
    assert lattice_of_cell(Cell(5.1284, 5.1284, 5.1284, 55.28, 55.28, 55.28), "hR") == found


def test_a_named_lattice_takes_a_cell_that_is_nearly_so_and_refuses_another():
    assert lattice_of_cell(Cell(4.0, 4.01, 6.0, 90, 90, 90), "tP").cell.parameters[:2] == (4.005, 4.005)
    with pytest.raises(ValueError, match=r"tP has a = b and right angles, which .* has not"):
        lattice_of_cell(Cell(4.0, 4.5, 6.0, 90, 90, 90), "tP")


def test_a_cell_where_the_lines_want_it_begins_there_alone_and_another_is_moved():
    lines = find_lines(simulate_corundum())
    right = lattice_of_cell(Cell(4.759, 4.759, 12.993, 90, 90, 120), "hR")
    assert starts_of(right, lines) == (right,)
    off = lattice_of_cell(Cell(4.66, 4.66, 12.72, 90, 90, 120), "hR")
    assert starts_of(off, lines)[1].cell.parameters == pytest.approx(right.cell.parameters, rel=1e-3)
