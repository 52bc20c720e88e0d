"""Folding as facts: the lattice of any plane is found, and a series is recovered through gaps."""

import numpy as np
import pytest

from unscatter.diffuse.crystal.molecules import species_pairs, vegard_cell
from unscatter.diffuse.crystal.order import apply_window, bank_cube, half_space, to_order_parameters
from unscatter.diffuse.plane.first_split import split_by_lattice
from unscatter.diffuse.plane.fold import CellMap, fit_waves, half_plane, local_mean, plane_lattice
from unscatter.diffuse.plane.forward import atom_pair, order_waves, short_range_order, simulate_plane
from unscatter.diffuse.plane.planes import axis_plane, cartesian_axes
from unscatter.diffuse.plane.scaling import scale_by_maximum
from unscatter.diffuse.plane.separable import project_waves, sum_waves
from unscatter.nouns.cell import Cell
from unscatter.nouns.order import OrderParameters
from unscatter.nouns.plane import PlaneAxes

GRID = np.linspace(-4, 4, 96)
TRICLINIC = Cell(5, 6, 7, 80, 95, 110)


def cartesian_plane(cell, origin, u, v):
    axes = cartesian_axes(cell, *(np.array(vector, dtype=float) for vector in (origin, u, v)))
    return PlaneAxes(*axes, GRID, GRID)


PLANES = {
    "rectangular": PlaneAxes([0, 0, 1], [1, 0, 0], [0, 1, 0], GRID, GRID),
    "rectangular, in 1/Angstrom": axis_plane(Cell(6, 7, 8), 1, 0.5, 4.0, 96),
    "hexagonal": axis_plane(Cell(8, 8, 6, 90, 90, 120), 2, 1.0, 4.0, 96),
    "triclinic": axis_plane(TRICLINIC, 0, 0.0, 5.0, 96),
    "(h h l)": PlaneAxes([0, 0, 0], [1, 1, 0], [0, 0, 1], GRID, GRID),
    "(h h l) of a hexagonal cell": cartesian_plane(Cell(8, 8, 6, 90, 90, 120), [0, 0, 0], [1, 1, 0], [0, 0, 1]),
    "normal to [1 1 1]": PlaneAxes([1, 0, 0], [1, -1, 0], [1, 1, -2], GRID, GRID),
    "a step moves all three": cartesian_plane(Cell(9, 9, 9), [0.5, 0, 0], [1, 1, 1], [1, -1, 0]),
    "(2h h l), off centre": PlaneAxes([0.2, 0, 0], [2, 1, 0], [0, 0, 1], GRID, GRID),
}
planes = pytest.mark.parametrize("axes", PLANES.values(), ids=PLANES.keys())


def translations_by_search(axes, reach=4):
    """All lattice translations in the plane with |h|, |k|, |l| <= reach, in units of x and y."""
    index = np.arange(-reach, reach + 1)
    hkl = np.stack(np.meshgrid(index, index, index), axis=-1).reshape(-1, 3)
    basis = np.stack([axes.u, axes.v])
    coordinates = hkl @ np.linalg.pinv(basis)
    return coordinates[np.all(np.abs(coordinates @ basis - hkl) < 1e-9, axis=1)]


def draw_gaps(rng, shape):
    """A third of the pixels not measured, in blocks and lines."""
    weight = np.ones(shape)
    weight[:, 40:44] = 0
    weight[20:50, 60:90] = 0
    weight[rng.random(shape) < 0.2] = 0
    return weight


# --- the lattice of a plane ---


@planes
def test_lattice_of_a_plane_is_that_of_a_search(axes):
    lattice = plane_lattice(axes)
    found = translations_by_search(axes)
    steps = found @ np.linalg.inv(lattice.translations)
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-6)
    whole = {tuple(step) for step in np.round(steps).astype(int)}
    # Both translations are among those found: the lattice is neither finer nor coarser.
    assert {(1, 0), (0, 1)} <= whole


@planes
def test_order_repeats_with_the_lattice_of_the_plane(axes):
    rng = np.random.default_rng(0)
    order = OrderParameters(half_space(2), rng.normal(size=len(half_space(2))))
    waves = order_waves(order, axes)
    for t in plane_lattice(axes).translations:
        moved = short_range_order(waves, axes.x + t[0], axes.y + t[1])
        np.testing.assert_allclose(moved, short_range_order(waves, axes.x, axes.y), atol=1e-8)


def test_frequencies_are_the_inverse_of_the_translations():
    lattice = plane_lattice(PLANES["hexagonal"])
    np.testing.assert_allclose(lattice.frequencies @ lattice.translations.T, np.eye(2), atol=1e-12)


def test_plane_without_a_lattice_has_none():
    axes = PlaneAxes([0, 0, 0], [1, np.sqrt(2), 0], [0, 0, 1], GRID, GRID)
    assert plane_lattice(axes) is None


@pytest.mark.parametrize("name", [name for name in PLANES if "off centre" not in name])
def test_order_is_the_same_turned_by_180_degrees_about_the_centre(name):
    axes = PLANES[name]
    rng = np.random.default_rng(7)
    waves = order_waves(OrderParameters(half_space(2), rng.normal(size=len(half_space(2)))), axes)
    centre = plane_lattice(axes).centre
    here, turned = (short_range_order(waves, centre[0] + sign * GRID, centre[1] + sign * GRID) for sign in (1, -1))
    np.testing.assert_allclose(here, turned, atol=1e-8)


@pytest.mark.parametrize(
    ("origin", "centre"),
    [([0, 0, 1], (0, 0)), ([0, 0, 0.5], (0, 0)), ([0.2, 0.3, 1], (-0.2, 0.2)), ([0, 0, 0.3], None)],
)
def test_centre_is_the_nearest_point_of_half_indices(origin, centre):
    found = plane_lattice(PlaneAxes(origin, [1, 0, 0], [0, 1, 0], GRID, GRID)).centre
    assert found == (centre and pytest.approx(centre))


# --- waves ---


def test_analysis_is_the_adjoint_of_synthesis():
    rng = np.random.default_rng(1)
    cosine, sine, fx, fy = rng.normal(size=(4, 6))
    x, y, plane = rng.normal(size=5), rng.normal(size=7), rng.normal(size=(7, 5))
    by_cosine, by_sine = project_waves(plane, fx, fy, x, y)
    assert np.sum(sum_waves(cosine, sine, fx, fy, x, y) * plane) == pytest.approx(by_cosine @ cosine + by_sine @ sine)


def test_half_plane_holds_one_of_each_pair_and_the_mean_first():
    harmonics = half_plane(3)
    assert harmonics.shape == (25, 2)
    assert not np.any(harmonics[0])
    assert len({tuple(h) for h in harmonics} | {tuple(-h) for h in harmonics}) == 49


# --- folding ---


@planes
def test_series_is_recovered_exactly_through_gaps(axes):
    rng = np.random.default_rng(2)
    frequencies = plane_lattice(axes).frequencies
    fx, fy = (half_plane(3) @ frequencies).T
    truth = CellMap(rng.normal(size=len(fx)), np.append(0.0, rng.normal(size=len(fx) - 1)), fx, fy)
    weight = draw_gaps(rng, axes.shape)
    values = np.where(weight > 0, truth(axes.x, axes.y), 1e3)
    found = fit_waves(values, weight, frequencies, axes.x, axes.y, 3, ridge=0.0)
    np.testing.assert_allclose(found.cosine, truth.cosine, atol=1e-8)
    np.testing.assert_allclose(found.sine, truth.sine, atol=1e-8)


@planes
def test_simulated_order_folds_and_unfolds_to_itself(axes):
    """A list of vectors is a series of the plane's own lattice: (2h h l) turns two cells into six harmonics."""
    rng = np.random.default_rng(3)
    order = OrderParameters(half_space(2), rng.normal(size=len(half_space(2))))
    ordering = short_range_order(order_waves(order, axes), axes.x, axes.y)
    weight = draw_gaps(rng, axes.shape)
    lattice = plane_lattice(axes)
    x0, y0 = lattice.centre or (0.0, 0.0)
    x, y, centric = axes.x - x0, axes.y - y0, lattice.centre is not None
    found = fit_waves(ordering, weight, lattice.frequencies, x, y, 6, centric=centric, ridge=0.0)
    np.testing.assert_allclose(found(x, y), ordering, atol=1e-6 * np.abs(ordering).max())


def test_batch_of_planes_folds_as_one_by_one():
    rng = np.random.default_rng(4)
    axes = [PLANES["hexagonal"], PLANES["triclinic"]]
    x, y = np.stack([a.x for a in axes]), np.stack([a.y for a in axes])
    frequencies = np.stack([plane_lattice(a).frequencies for a in axes])
    values, weight = rng.random((2, 96, 96)), np.stack([draw_gaps(rng, (96, 96)) for _ in axes])
    both = fit_waves(values, weight, frequencies, x, y, 3)
    for i in range(2):
        one = fit_waves(values[i], weight[i], frequencies[i], x[i], y[i], 3)
        np.testing.assert_allclose(both.cosine[i], one.cosine, atol=1e-10)
        np.testing.assert_allclose(both.sine[i], one.sine, atol=1e-10)


def test_torch_folds_as_numpy():
    torch = pytest.importorskip("torch")
    axes, rng = PLANES["hexagonal"], np.random.default_rng(5)
    arrays = (rng.random(axes.shape), draw_gaps(rng, axes.shape), plane_lattice(axes).frequencies, axes.x, axes.y)
    ours = fit_waves(*arrays, 3)
    theirs = fit_waves(*(torch.asarray(a) for a in arrays), 3)
    np.testing.assert_allclose(theirs.cosine.numpy(), ours.cosine, atol=1e-10)


def test_what_is_not_measured_stays_at_the_prior():
    axes = PLANES["rectangular"]
    count = len(half_plane(2))
    prior = (np.linspace(1, 2, count), np.append(0.0, np.linspace(-1, 1, count - 1)))
    nothing = 1e-30 * np.ones(axes.shape)
    frequencies = plane_lattice(axes).frequencies
    found = fit_waves(prior_plane(prior, frequencies, axes), nothing, frequencies, axes.x, axes.y, 2, prior=prior)
    np.testing.assert_allclose(found.cosine, prior[0], atol=1e-6)
    np.testing.assert_allclose(found.sine, prior[1], atol=1e-6)


def prior_plane(prior, frequencies, axes):
    fx, fy = (half_plane(2) @ frequencies).T
    return CellMap(*prior, fx, fy)(axes.x, axes.y)


def test_local_mean_of_a_constant_is_that_constant_across_gaps():
    weight = draw_gaps(np.random.default_rng(6), (96, 96))
    mean = local_mean(np.where(weight > 0, 3.0, 0.0), weight, GRID, GRID, 1.0, 1.0)
    np.testing.assert_allclose(mean, 3.0)


def test_local_mean_over_one_period_flattens_a_wave():
    wave = 1 + np.sin(2 * np.pi * GRID)[None, :] * np.ones((96, 1))
    mean = local_mean(wave, np.ones((96, 96)), GRID, GRID, 1.0, 1.0)
    np.testing.assert_allclose(mean[20:-20, 20:-20], 1.0, atol=0.05)


# --- splitting a plane ---


@pytest.mark.parametrize(
    ("pair", "model", "bound"), [(5, 3, 0.003), (100, 300, 0.003), (900, 500, 0.01), (700, 77, 0.07)]
)
def test_lattice_alone_splits_a_simulated_plane(pair, model, bound):
    """Mean squared error of both components in the paper's scaling, through gaps; the last has few cells a plane."""
    species = [s.molecule for s in species_pairs("training")[pair]]
    alpha, concentration = bank_cube(model)
    order = to_order_parameters(apply_window(alpha, 6.0), concentration)
    cell = vegard_cell(*species, concentration)
    axes = axis_plane(cell, 1, 1.0, 7.0, 128)
    form, ordering, diffuse = simulate_plane(atom_pair(*species), order, axes, cell)
    weight = np.ones(axes.shape)
    weight[:, 40:44] = weight[90:96] = 0
    lattice = plane_lattice(axes)
    split = split_by_lattice(diffuse * weight, weight, lattice.frequencies, lattice.window, axes.x, axes.y, 6)
    for found, truth in ((split.form_factor, form), (split.short_range_order, ordering)):
        error = np.mean((scale_by_maximum(found) - scale_by_maximum(truth)) ** 2)
        assert error < bound
