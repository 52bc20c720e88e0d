"""Random but realistic scans, drawn with a NumPy generator."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unscatter.diffuse.samples.scan import (
    IDENTITY,
    BeamStop,
    Detector,
    Matrix,
    RotationScan,
    as_rotation,
    read_detectors,
    spindle_rotation,
)

#: A shorter distance has no room for a cryostream and a beam stop.
SHORTEST_DISTANCE = 60.0


def draw_scan(rng: np.random.Generator, q_max: float) -> RotationScan:
    """A random but realistic scan for planes from -q_max to q_max, in 1/Angstrom.

    A catalogued detector whose nearer edge records 0.85 to 1.4 q_max, at 0.3 to 1 Angstrom, the direct beam
    on a live pixel near its middle. Six crystals in ten have a Cartesian axis near the spindle; half the
    scans are full turns, the others cover 150 to 360 deg; one in four has a second setting.
    Raises ValueError if q_max is not positive.
    """
    if q_max <= 0:
        raise ValueError(f"q_max is a length in 1/Angstrom and must be positive, got {q_max:g}")
    detector = list(read_detectors().values())[rng.integers(len(read_detectors()))]
    wavelength, distance = _draw_resolution(rng, detector, q_max * rng.uniform(0.85, 1.4))
    return RotationScan(
        detector=detector,
        distance=distance,
        wavelength=wavelength,
        orientation=_draw_orientation(rng),
        settings=_draw_settings(rng),
        start=float(rng.uniform(-180, 180)),
        sweep=360.0 if rng.random() < 0.5 else float(rng.uniform(150, 360)),
        offset=(
            _draw_offset(rng, detector.active_columns) * detector.pixel,
            _draw_offset(rng, detector.active_rows) * detector.pixel,
        ),
        two_theta=float(rng.uniform(-15, 15)) if rng.random() < 0.15 else 0.0,
        roll=90.0 * int(rng.integers(2)),
        beam_stop=_draw_beam_stop(rng, distance),
    )


def _draw_resolution(rng: np.random.Generator, detector: Detector, q_edge: float) -> tuple[float, float]:
    """A wavelength, and the distance that puts |Q| = q_edge on the nearer edge of the detector."""
    half = min(detector.size) / 2
    widest = math.atan2(half, SHORTEST_DISTANCE)  # two theta of the edge with the detector as close as it gets
    longest = min(1.0, 4 * math.pi * math.sin(widest / 2) / q_edge)
    wavelength = float(rng.uniform(min(0.3, longest), longest))
    two_theta = 2 * math.asin(q_edge * wavelength / (4 * math.pi))
    return wavelength, half / math.tan(two_theta)


def _draw_offset(rng: np.random.Generator, active: NDArray[np.bool_]) -> float:
    """Pixels from the direct beam to the middle, with the beam 10 pixels or more away from any gap."""
    # Nobody points the beam into a gap: the whole layer normal to the spindle would fall into it.
    clear = np.convolve(active, np.ones(21), mode="same") > 20.5
    middle = (active.size - 1) / 2
    near = np.flatnonzero(clear & (np.abs(np.arange(active.size) - middle) < 0.07 * active.size))
    return float(middle - rng.choice(near))


def _draw_orientation(rng: np.random.Generator) -> Matrix:
    """Six in ten with x, y or z a few degrees off the spindle, the others anyhow."""
    if rng.random() > 0.6:
        return as_rotation(_about(rng.normal(size=3), 180) @ spindle_rotation(rng.uniform(0, 360)))
    upright = np.roll(np.eye(3), int(rng.integers(3)), axis=1)  # cyclic permutations of the axes are rotations
    tilt = _about(spindle_rotation(rng.uniform(0, 360))[0], rng.normal(0, 5))
    return as_rotation(tilt @ spindle_rotation(rng.uniform(0, 360)) @ upright)


def _draw_settings(rng: np.random.Generator) -> tuple[Matrix, ...]:
    """One turn, or in one case of four a second one with the crystal tilted by chi about x."""
    if rng.random() < 0.75:
        return (IDENTITY,)
    return IDENTITY, as_rotation(_about([1, 0, 0], rng.uniform(20, 60)))


def _draw_beam_stop(rng: np.random.Generator, distance: float) -> BeamStop:
    """Half a degree to almost two of shadow, every other time with an arm along or across the spindle."""
    return BeamStop(
        radius=distance * float(rng.uniform(0.008, 0.03)),
        arm_width=distance * float(rng.uniform(0.004, 0.012)) * int(rng.integers(2)),
        arm_angle=90.0 * int(rng.integers(4)),
    )


def _about(axis: ArrayLike, degrees: float) -> NDArray[np.float64]:
    """Rotation about an axis of any length (Rodrigues)."""
    x, y, z = np.asarray(axis, dtype=np.float64) / np.linalg.norm(axis)
    K = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = math.radians(degrees)
    rotation: NDArray[np.float64] = np.eye(3) + math.sin(angle) * K + (1 - math.cos(angle)) * (K @ K)
    return rotation
