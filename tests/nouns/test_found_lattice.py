"""A found lattice goes into a provenance and back, says how sure it is, and gives a plane axes and a cell."""

import json

import numpy as np
import pytest

from unscatter.nouns.components import Components
from unscatter.nouns.found_lattice import FoundLattice, LatticeCandidate, found_lattice
from unscatter.nouns.plane import Plane

HEXAGONAL = np.array([[24.0, 0.0], [12.0, 24 * np.sqrt(0.75)]])


def found(weight=1.0, evidence=50.0, **more):
    rest = () if weight == 1 else (LatticeCandidate(2 * HEXAGONAL, 1 - weight, 10.0, 0.2),)
    return FoundLattice((LatticeCandidate(HEXAGONAL, weight, evidence, 0.1), *rest), **more)


def test_it_comes_back_from_json():
    one = found(0.8, centre=(10.0, 12.5), pixel=(0.02, 0.03))
    again = found_lattice(json.loads(json.dumps(one.record())))
    assert again.centre == one.centre
    assert again.pixel == one.pixel
    np.testing.assert_allclose(again.translations, one.translations, atol=1e-4)
    assert [c.weight for c in again.candidates] == pytest.approx([c.weight for c in one.candidates])


@pytest.mark.parametrize(
    ("weight", "evidence", "word"),
    [(1.0, 50.0, "sure"), (1.0, 15.0, "likely"), (1.0, 8.0, "uncertain"), (0.8, 50.0, "uncertain")],
)
def test_it_says_how_sure_it_is(weight, evidence, word):
    assert found(weight, evidence).confidence == word
    assert word in dict(found(weight, evidence).rows())["lattice"]


def test_a_pixel_of_known_size_gives_lengths():
    rows = dict(found(pixel=(0.05, 0.05)).rows())
    assert rows[""] == "1.2 and 1.2 1/Angstrom"
    assert "60.0 deg" in rows["repeats"]


def test_a_plane_is_indexed_with_the_translations_as_whole_numbers():
    plane = Plane(np.ones((90, 100)))
    indexed = found(pixel=(0.05, 0.05)).index(plane)
    hkl = indexed.axes.hkl()[..., :2]
    np.testing.assert_allclose(hkl[40, 54] - hkl[40, 30], [1, 0], atol=1e-9)
    reciprocal = indexed.cell.reciprocal
    assert np.linalg.norm(reciprocal[0]) == pytest.approx(24 * 0.05)
    assert np.linalg.norm(reciprocal[1]) == pytest.approx(24 * 0.05)


def test_components_hand_out_the_plane_with_the_found_lattice():
    plane = Plane(np.arange(64.0**2).reshape(64, 64))
    components = Components(plane, np.ones((64, 64)), np.ones((64, 64)), {"found_lattice": found().record()})
    assert components.indexed.lattice_known
    assert "found in the picture" in components.describe()
    assert Components(plane, np.ones((64, 64)), np.ones((64, 64))).indexed is plane


def test_streaks_have_one_period_and_no_cell():
    candidate = LatticeCandidate(HEXAGONAL, 1.0, 50.0, 0.1, one_dimensional=True)
    one = FoundLattice((candidate,), pixel=(0.05, 0.05))
    again = found_lattice(json.loads(json.dumps(one.record())))
    assert again.one_dimensional
    rows = dict(again.rows())
    assert rows["repeats"] == "along one direction only: period (24.0, 0.0) pixels; the other axis is not determined"
    assert rows[""] == "1.2 1/Angstrom"
    plane = Plane(np.ones((64, 64)))
    with pytest.raises(ValueError, match="one direction spans no cell"):
        one.index(plane)
    assert Components(plane, np.ones((64, 64)), np.ones((64, 64)), {"found_lattice": one.record()}).indexed is plane
