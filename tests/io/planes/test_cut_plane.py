"""Cutting planes: exact for a linear function in any plane, and silent about nothing."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from unscatter.io.planes.cut import cut_plane
from unscatter.io.planes.notation import Section, parse_section
from unscatter.nouns.volume import Volume

H, K, L = np.linspace(-2, 2, 9), np.linspace(-1.5, 1.5, 13), np.linspace(-1, 1, 6)


def volume(slope=(7, 3, 11), basis=None):
    basis = np.eye(3) if basis is None else np.asarray(basis, dtype=float)
    l, k, h = np.meshgrid(L, K, H, indexing="ij")  # noqa: E741
    return Volume(50 + np.stack([h, k, l], axis=-1) @ basis @ np.array(slope), H, K, L, basis=basis)


small = st.integers(-2, 2)
vectors = st.tuples(small, small, small)
places = st.tuples(*[st.floats(-0.9, 0.9).map(lambda x: round(x, 2))] * 3)


@settings(max_examples=60, deadline=None)
@given(origin=places, u=vectors, v=vectors, slanted=st.booleans())
def test_linear_function_is_exact_in_any_plane(origin, u, v, slanted):
    assume(np.linalg.norm(np.cross(u, v)) > 0.5)
    basis = [[1, 1, 0], [1, -1, 0], [0, 0, 1]] if slanted else None
    section = Section(*(np.array(vector, dtype=float) for vector in (origin, u, v)))
    try:
        plane = cut_plane(volume(basis=basis), section)
    except ValueError:
        assume(False)
    exact = 50 + plane.axes.hkl() @ np.array([7, 3, 11])
    np.testing.assert_allclose(plane.intensity[plane.measured], exact[plane.measured], atol=2e-3)
    inside = plane.axes.hkl() @ np.linalg.inv(basis if slanted else np.eye(3))
    inside = np.all(np.abs(inside) < np.array([2, 1.5, 1]) - 1e-3, axis=-1)
    assert np.all(plane.measured[inside])


@pytest.mark.parametrize(("name", "values"), [("hk0.2", "hk"), ("h0l", "hl"), ("0kl", "kl")])
def test_planes_on_layers_copy_the_voxels(name, values):
    grid = {"h": H, "k": K, "l": L}
    plane = cut_plane(volume(), parse_section(name))
    np.testing.assert_allclose(plane.axes.x, grid[values[0]], atol=1e-12)
    np.testing.assert_allclose(plane.axes.y, grid[values[1]], atol=1e-12)
    assert plane.coverage == 1


def test_between_layers_is_linear():
    rng = np.random.default_rng(0)
    noisy = Volume(rng.random((6, 13, 9)), H, K, L)
    plane = cut_plane(noisy, parse_section("hk0.1"))
    exact = 0.25 * noisy.intensity[2] + 0.75 * noisy.intensity[3]
    np.testing.assert_allclose(plane.intensity, exact)


def test_gap_spreads_to_what_draws_on_it_and_no_further():
    full = volume()
    full.intensity[3, 4, 5] = np.nan
    between = cut_plane(full, parse_section("hk0.1"))
    assert np.isnan(between.intensity[4, 5])
    assert between.measured.sum() == between.measured.size - 1
    beside = cut_plane(full, parse_section("hk-0.2"))
    assert beside.coverage == 1


def test_zeros_are_gaps_before_they_are_interpolated():
    full = volume()
    full.intensity[3, 4, 5] = 0
    assert cut_plane(full, parse_section("hk0.1")).coverage == 1
    assert cut_plane(full, parse_section("hk0.1"), zeros="missing").measured.sum() == 9 * 13 - 1
    assert full.intensity[3, 4, 5] == 0


def test_oblique_plane_is_not_measured_outside():
    plane = cut_plane(volume(), parse_section("h+k,h-k,0.2"))
    assert 0 < plane.coverage < 1


@pytest.mark.parametrize("name", ["hk3", "h2l", "-3kl", "h,h+9,l"])
def test_no_such_plane_names_the_range(name):
    with pytest.raises(ValueError, match=r"h -2 to 2, k -1\.5 to 1\.5, l -1 to 1"):
        cut_plane(volume(), parse_section(name))
