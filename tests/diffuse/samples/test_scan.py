"""The scan as facts: what a detector and its turns can see of reciprocal space, and what they never see."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unscatter.diffuse.samples.scan import (
    IDENTITY,
    BeamStop,
    Detector,
    RotationScan,
    as_rotation,
    plane_measured_by_scan,
    read_detectors,
    spindle_rotation,
)
from unscatter.diffuse.samples.scan_draws import draw_scan

#: No gaps, and wide enough to catch all that is scattered forwards by up to 87 degrees.
WALL = Detector("wall", pixel=1.0, modules=(1, 1), module=(4001, 4001))
WALL_SCAN = RotationScan(WALL, distance=100.0, wavelength=0.7)
#: Two modules, one above the other along the spindle.
STACKED = Detector("stacked", pixel=0.2, modules=(2, 1), module=(500, 1001), gap=(21, 0))
X, Y, Z = np.eye(3)


def measured_by_scan(Q, scan, symmetry=()):
    """Points Q (..., 3), each a plane of one pixel."""
    zero = np.zeros(1)
    seen = [plane_measured_by_scan(q, X, Y, zero, zero, scan, symmetry)[0, 0] for q in Q.reshape(-1, 3)]
    return np.array(seen).reshape(Q.shape[:-1])


def points(n=500, radius=10.0, seed=0):
    return np.random.default_rng(seed).uniform(-radius, radius, (n, 3))


def an_orientation(seed=0):
    M, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return as_rotation(M * np.sign(np.linalg.det(M)))


def blind(Q, k, margin=0.0):
    """Q within the blind zone about the spindle z: no turn brings it to the Ewald sphere."""
    return Q[:, 0] ** 2 + Q[:, 1] ** 2 < (np.sum(Q**2, axis=-1) / (2 * k)) ** 2 + margin


def rotation_angles(Q, scan):
    """Angles (n, 2) in degrees that turn Q onto the Ewald sphere, where x = -Q^2 / 2k and y = +-sqrt(...); or NaN."""
    q_x, q_y, _ = scan.frames()[0] @ Q.T
    x = -np.sum(Q**2, axis=-1) / (2 * scan.k)
    with np.errstate(invalid="ignore"):
        y = np.sqrt(q_x**2 + q_y**2 - x**2)
    phi = np.stack([np.arctan2(side, x) - np.arctan2(q_y, q_x) for side in (y, -y)], axis=-1)
    return np.degrees(np.arctan2(np.sin(phi), np.cos(phi)))


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("PILATUS 2M", (1679, 1475)),
        ("PILATUS3 X CdTe 300K", (619, 487)),
        ("PILATUS3 X CdTe 1M", (1043, 981)),
        ("EIGER2 X CdTe 1M", (1062, 1028)),
        ("EIGER2 X CdTe 4M", (2162, 2068)),
        ("EIGER2 X CdTe 16M", (4362, 4148)),
    ],
)
def test_detectors_have_the_size_their_makers_state(name, shape):
    detector = read_detectors()[name]
    assert detector.shape == shape
    assert detector.active_rows.size == shape[0]
    assert detector.active_rows.sum() == detector.modules[0] * detector.module[0]
    assert detector.active_columns.sum() == detector.modules[1] * (detector.module[1] - detector.seam)


def test_wall_measures_all_but_the_blind_zone():
    Q = points()
    k = WALL_SCAN.k
    # The scattered ray must go forwards to meet a flat detector: Q^2 / 2k < k, short of grazing its far edge.
    inside = np.linalg.norm(Q, axis=-1) < 1.35 * k
    measured = measured_by_scan(Q, WALL_SCAN)
    assert np.array_equal(measured[inside], ~blind(Q, k)[inside])


def test_nothing_is_measured_beyond_twice_k():
    scan = replace(WALL_SCAN, wavelength=1.0)
    far = points(radius=40.0)
    far = far[np.linalg.norm(far, axis=-1) > 2 * scan.k]
    assert not measured_by_scan(far, scan).any()


def test_spindle_axis_is_never_measured():
    on_axis = np.linspace(-8, 8, 100)[:, None] * Z
    assert not measured_by_scan(on_axis, WALL_SCAN).any()


def test_second_setting_fills_the_blind_zone():
    on_axis = np.linspace(0.5, 8, 100)[:, None] * Z
    upended = ((1, 0, 0), (0, 0, -1), (0, 1, 0))
    assert measured_by_scan(on_axis, replace(WALL_SCAN, settings=(IDENTITY, upended))).all()


def test_turning_the_crystal_turns_the_mask():
    scan = draw_scan(np.random.default_rng(3), 7.0)
    R = np.array(an_orientation(5))
    turned = replace(scan, orientation=as_rotation(np.array(scan.orientation) @ R.T))
    Q = points()
    assert np.mean(measured_by_scan(Q, scan) == measured_by_scan(Q @ R.T, turned)) > 0.999


def test_full_turn_sees_a_body_of_revolution_about_the_spindle():
    scan = RotationScan(read_detectors()["PILATUS 2M"], 120.0, 0.5, offset=(4.0, 7.0), two_theta=8.0)
    Q = points()
    turned = Q @ spindle_rotation(77.0).T
    assert np.mean(measured_by_scan(Q, scan) == measured_by_scan(turned, scan)) > 0.999


def test_full_turn_of_a_centred_detector_is_centrosymmetric():
    scan = RotationScan(read_detectors()["PILATUS 2M"], 120.0, 0.5, beam_stop=BeamStop(3.0))
    Q = points()
    assert np.mean(measured_by_scan(Q, scan) == measured_by_scan(-Q, scan)) > 0.999


def test_offset_breaks_inversion_and_friedel_averaging_restores_it():
    scan = RotationScan(read_detectors()["PILATUS 2M"], 120.0, 0.5, offset=(4.0, 7.0), sweep=200.0)
    Q = points()
    once = measured_by_scan(Q, scan)
    averaged = measured_by_scan(Q, scan, symmetry=[-np.eye(3)])
    assert np.mean(once == measured_by_scan(-Q, scan)) < 0.99
    assert np.array_equal(averaged, once | measured_by_scan(-Q, scan))
    assert np.array_equal(averaged, measured_by_scan(-Q, scan, symmetry=[np.eye(3), -np.eye(3)]))


def test_module_gap_is_the_arc_it_should_be():
    # A plane through the spindle: a row at height p sees q_z = p / distance (k - Q^2 / 2k).
    scan = RotationScan(STACKED, distance=100.0, wavelength=0.7)
    k, q_x = scan.k, np.linspace(1.0, 3.5, 40)
    height = 0.5 * 20.8 * 0.2
    for sign in (1, -1):
        q_z = np.full_like(q_x, 0.0)
        for _ in range(30):  # the arc's implicit equation, by iteration
            q_z = sign * height / scan.distance * (k - (q_x**2 + q_z**2) / (2 * k))
        for factor, expected in ((0.95, False), (1.05, True)):
            Q = np.stack([q_x, np.zeros_like(q_x), factor * q_z], axis=-1)
            assert (measured_by_scan(Q, scan) == expected).all()


def test_full_turn_fills_a_gap_along_the_spindle_unless_the_beam_is_centred():
    columns = Detector("columns", pixel=0.2, modules=(1, 2), module=(1001, 500), gap=(0, 21))
    # Both rays of these Q strike within 1.2 mm of the middle, left and right of it; the gap is 4.2 mm wide.
    Q = np.stack(np.broadcast_arrays(0.1, 0.0, np.linspace(-1, 1, 41)), axis=-1)
    scan = RotationScan(columns, distance=100.0, wavelength=0.7)
    assert not measured_by_scan(Q, scan).any()
    assert measured_by_scan(Q, replace(scan, offset=(2.5, 0.0))).all()


def test_narrower_sweep_measures_less_and_two_halves_make_a_turn():
    Q = points()
    scan = replace(WALL_SCAN, orientation=an_orientation(2))
    halves = [measured_by_scan(Q, replace(scan, start=start, sweep=180.0)) for start in (20.0, 200.0)]
    narrow = measured_by_scan(Q, replace(scan, start=20.0, sweep=60.0))
    assert np.array_equal(halves[0] | halves[1], measured_by_scan(Q, scan))
    assert narrow.mean() < halves[0].mean()
    assert not (narrow & ~halves[0]).any()


def test_sweep_agrees_with_the_angles():
    scan = replace(WALL_SCAN, orientation=an_orientation(2), start=-30.0, sweep=75.0)
    Q = points(radius=5.0)
    phi = rotation_angles(Q, scan)
    within = ((phi > -30) & (phi < 45)).any(axis=-1)
    assert np.array_equal(measured_by_scan(Q, scan), within)


def test_beam_stop_hides_the_origin_and_nothing_far():
    scan = replace(WALL_SCAN, beam_stop=BeamStop(radius=2.0))
    q_min = scan.k * 2.0 / scan.distance
    Q = np.outer(np.linspace(0, 3, 60) * q_min, X)
    assert np.array_equal(measured_by_scan(Q, scan), np.linspace(0, 3, 60) > 1)


def test_arm_along_the_spindle_stays_dark_and_across_it_is_filled_by_the_second_ray():
    Q = np.stack(np.broadcast_arrays(0.1, 0.0, np.linspace(1.0, 1.2, 11)), axis=-1)
    scan = replace(WALL_SCAN, beam_stop=BeamStop(arm_width=4.0, arm_angle=90.0))
    assert not measured_by_scan(Q, scan).any()
    assert measured_by_scan(-Q, scan).all()
    across = replace(scan, beam_stop=BeamStop(arm_width=4.0, arm_angle=0.0))
    assert measured_by_scan(np.outer(np.linspace(1, 5, 20), X), across).all()


def test_roll_swaps_rows_and_columns_of_a_detector():
    lying = Detector("lying", 0.2, modules=(1, 2), module=(1001, 500), gap=(0, 21))
    Q = points(radius=4.0)
    upright = measured_by_scan(Q, RotationScan(STACKED, 100.0, 0.7))
    rolled = measured_by_scan(Q, RotationScan(lying, 100.0, 0.7, roll=90.0))
    assert np.mean(upright == rolled) > 0.999


def test_swung_detector_records_the_direction_it_points_at():
    chip = Detector("chip", 0.1, modules=(1, 1), module=(21, 21))
    scan = RotationScan(chip, 100.0, 0.7, two_theta=30.0)
    length = 2 * scan.k * np.sin(np.radians(15.0))
    assert measured_by_scan(length * X, scan)
    assert not measured_by_scan(length * X, replace(scan, two_theta=0.0))


@pytest.mark.parametrize("seed", range(5))
def test_plane_agrees_with_its_points(seed):
    scan = draw_scan(np.random.default_rng(seed), 7.0)
    x, y = np.linspace(-7, 7, 32), np.linspace(-6, 6, 24)
    origin = 0.5 * Z
    Q = origin + x[None, :, None] * X + y[:, None, None] * Y
    plane = plane_measured_by_scan(origin, X, Y, x, y, scan)
    assert plane.shape == (24, 32)
    assert np.mean(plane == measured_by_scan(Q, scan)) > 0.999
    single = plane_measured_by_scan(origin, X, Y, x.astype(np.float32), y.astype(np.float32), scan)
    assert np.mean(plane == single) > 0.995


@pytest.mark.parametrize("seed", range(3))
def test_numpy_and_torch_see_the_same(seed, torch):
    scan = draw_scan(np.random.default_rng(seed), 7.0)
    x, friedel = np.linspace(-7, 7, 32), [-np.eye(3)]
    plane = plane_measured_by_scan(0.3 * Z, X, Y, torch.from_numpy(x), torch.from_numpy(x), scan, friedel)
    assert plane.dtype == torch.bool
    assert np.mean(plane.numpy() == plane_measured_by_scan(0.3 * Z, X, Y, x, x, scan, friedel)) > 0.999


@given(seed=st.integers(0, 10_000), q_max=st.floats(2.0, 15.0))
def test_drawn_scans_are_realistic_and_reproducible(seed, q_max):
    scan = draw_scan(np.random.default_rng(seed), q_max)
    assert scan == draw_scan(np.random.default_rng(seed), q_max)
    assert hash(scan) == hash(draw_scan(np.random.default_rng(seed), q_max))
    assert scan.wavelength <= 1.0
    assert scan.distance >= 59.9
    # The direct beam never falls into a gap, or a whole layer would be lost.
    for offset, active in zip(scan.offset, (scan.detector.active_columns, scan.detector.active_rows), strict=True):
        assert active[int(active.size / 2 - offset / scan.detector.pixel)]


def test_drawn_scans_cover_most_of_a_plane():
    x = np.linspace(-7, 7, 48)
    rng = np.random.default_rng(0)
    coverage = [plane_measured_by_scan(0 * X, X, Y, x, x, draw_scan(rng, 7.0)).mean() for _ in range(100)]
    assert 0.75 < np.median(coverage) < 0.98
    assert min(coverage) > 0.2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"distance": 0.0}, "positive"),
        ({"sweep": 400.0}, "settings"),
        ({"settings": ()}, "setting"),
        ({"orientation": -np.eye(3)}, "proper"),
        ({"orientation": 2 * np.eye(3)}, "Cartesian"),
    ],
)
def test_impossible_scans_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(WALL_SCAN, **change)


def test_wrong_input_is_refused():
    hexagonal = [[0, -1, 0], [1, -1, 0], [0, 0, 1]]  # in hkl, not in Cartesian axes
    with pytest.raises(ValueError, match="Cartesian"):
        measured_by_scan(points(), WALL_SCAN, symmetry=[hexagonal])
    with pytest.raises(ValueError, match="q_max"):
        draw_scan(np.random.default_rng(0), 0.0)
    with pytest.raises(ValueError, match="positive"):
        Detector("none", 0.1, (0, 1), (10, 10))
