"""What spoils a measured plane: the detector and its scan, background, Bragg residue, blur, counting noise.

Written once against the array API standard: NumPy arrays and batched torch tensors alike. No function draws
random numbers by itself: `draw_*` take a NumPy generator and return plain numbers, all else is deterministic.

Laboratory frame: the beam runs along +x, the spindle is +z, and the crystal turns from x towards y.
"""

from __future__ import annotations

import math
import operator
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property, reduce
from importlib.resources import files
from typing import Any, TypeAlias

import numpy as np
from array_api_compat import array_namespace, device
from numpy.typing import ArrayLike, NDArray

from unscatter.nouns.arrays import Array

#: A 3 x 3 matrix as three rows of plain numbers: it compares, hashes and goes into a TOML file.
Matrix: TypeAlias = tuple[tuple[float, float, float], ...]

#: One number for all planes, or an array (...) with one number for each plane of a batch (..., ny, nx).
PerPlane: TypeAlias = Any

IDENTITY: Matrix = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))

#: A shorter distance has no room for a cryostream and a beam stop.
SHORTEST_DISTANCE = 60.0

#: Expected counts from which on a pixel's count is a rounded Gaussian.
MANY_COUNTS = 24.0

# A prime as the number of classes of heights.
_PRIME = 4093


# ---- the detector and its rotation scan ------------------------------------------------------------------


@dataclass(frozen=True)
class Detector:
    """A flat pixel detector tiled from equal modules.

    pixel: edge of a pixel in mm; modules: (rows, columns) of modules; module, gap: (rows, columns) of pixels
    in a module and between two; seam: dead columns in the middle of a module. Raises ValueError if there is
    no pixel to count with.
    """

    name: str
    pixel: float
    modules: tuple[int, int]
    module: tuple[int, int]
    gap: tuple[int, int] = (0, 0)
    seam: int = 0

    def __post_init__(self) -> None:
        """Refuse a detector without pixels."""
        for field in ("modules", "module", "gap"):
            rows, columns = getattr(self, field)
            object.__setattr__(self, field, (int(rows), int(columns)))
        if self.pixel <= 0 or min(self.modules) < 1 or min(self.module) < 1 or min(*self.gap, self.seam) < 0:
            raise ValueError(f"{self} cannot be: pixel, modules and module must be positive, gap and seam not negative")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of pixels, gaps included."""
        rows, columns = (
            count * size + (count - 1) * gap
            for count, size, gap in zip(self.modules, self.module, self.gap, strict=True)
        )
        return rows, columns

    @property
    def size(self) -> tuple[float, float]:
        """Height and width in mm."""
        return self.shape[0] * self.pixel, self.shape[1] * self.pixel

    @cached_property
    def active_rows(self) -> NDArray[np.bool_]:
        """Whether a row counts, (rows,): a pixel counts where its row and its column do."""
        return _within_module(self.shape[0], self.module[0], self.gap[0])

    @cached_property
    def active_columns(self) -> NDArray[np.bool_]:
        """Whether a column counts, (columns,)."""
        module = self.module[1]
        place = np.arange(self.shape[1]) % (module + self.gap[1])
        seam: NDArray[np.bool_] = np.abs(place - (module - 1) / 2) < self.seam / 2
        return _within_module(self.shape[1], module, self.gap[1]) & ~seam


def _within_module(pixels: int, module: int, gap: int) -> NDArray[np.bool_]:
    active: NDArray[np.bool_] = np.arange(pixels) % (module + gap) < module
    return active


@cache
def read_detectors() -> dict[str, Detector]:
    """Real pixel detectors by name, from `data/detectors.toml` (their makers' data sheets)."""
    text = (files("unscatter") / "data" / "detectors.toml").read_text(encoding="utf-8")
    return {name: Detector(name=name, **numbers) for name, numbers in tomllib.loads(text).items()}


@dataclass(frozen=True)
class BeamStop:
    """The shadow of the beam stop, a disc around the direct beam, and of its arm, a strip outwards.

    radius, arm_width: mm, as the shadow falls on a plane normal to the beam at the detector distance;
    arm_angle: degrees from +y towards the spindle; an arm of width 0 casts no shadow.
    """

    radius: float = 0.0
    arm_width: float = 0.0
    arm_angle: float = 0.0


@dataclass(frozen=True)
class RotationScan:
    """One or more turns of a crystal in front of a detector: all that decides which Q were measured.

    wavelength: Angstrom, so k = 2 pi / wavelength. distance: mm from the crystal to the detector, along its
    normal. orientation: rotation from crystal Cartesian axes to the goniometer at rest; settings: further
    rotations (chi, kappa), one for each turn. A turn takes settings[i] @ orientation @ Q about the spindle by
    phi = start ... start + sweep degrees. offset: mm from the foot of the detector's normal to its middle,
    along increasing columns and rows. two_theta: degrees by which the detector is swung about the spindle,
    from x towards y. roll: degrees by which it is turned about its normal; at 0 its rows count up along the
    spindle. Raises ValueError for lengths that are not positive, a sweep outside 0-360, or matrices that do
    not rotate.
    """

    detector: Detector
    distance: float
    wavelength: float
    orientation: Matrix = IDENTITY
    settings: tuple[Matrix, ...] = (IDENTITY,)
    start: float = 0.0
    sweep: float = 360.0
    offset: tuple[float, float] = (0.0, 0.0)
    two_theta: float = 0.0
    roll: float = 0.0
    beam_stop: BeamStop = BeamStop()

    def __post_init__(self) -> None:
        """Refuse a scan that cannot be made; keep arrays as plain numbers."""
        if self.distance <= 0 or self.wavelength <= 0:
            raise ValueError(
                f"distance {self.distance:g} mm and wavelength {self.wavelength:g} Angstrom must be positive"
            )
        if not 0 < self.sweep <= 360:
            raise ValueError(f"a sweep lies between 0 and 360 deg, got {self.sweep:g}; name a second turn in settings")
        if not self.settings:
            raise ValueError("a scan needs at least one setting; leave settings out for a single turn")
        object.__setattr__(self, "orientation", as_rotation(self.orientation))
        object.__setattr__(self, "settings", tuple(as_rotation(setting) for setting in self.settings))

    @property
    def k(self) -> float:
        """Length of the wavevector, 2 pi / wavelength in 1/Angstrom."""
        return 2 * math.pi / self.wavelength

    def frames(self) -> list[NDArray[np.float64]]:
        """Matrices (3, 3) from crystal Cartesian to the goniometer at phi = 0, one for each turn."""
        return [np.array(setting) @ np.array(self.orientation) for setting in self.settings]


def as_rotation(matrix: ArrayLike, improper: bool = False) -> Matrix:
    """A (3, 3) rotation as plain numbers; `improper` lets reflections and the inversion through.

    Raises ValueError if M M^T is not 1 or the determinant is -1.
    """
    M = np.asarray(matrix, dtype=np.float64)
    if M.shape != (3, 3) or not np.allclose(M @ M.T, np.eye(3), atol=1e-6):
        raise ValueError(f"expected a 3 x 3 rotation in Cartesian axes (M M^T = 1), got {M.tolist()}")
    if np.linalg.det(M) < 0 and not improper:
        raise ValueError(f"{M.tolist()} turns right hands into left ones: a crystal is turned by proper rotations")
    a, b, c = ((float(row[0]), float(row[1]), float(row[2])) for row in M)
    return a, b, c


def spindle_rotation(phi: float) -> NDArray[np.float64]:
    """Rotation (3, 3) by phi degrees about the spindle +z, from x towards y."""
    c, s = math.cos(math.radians(phi)), math.sin(math.radians(phi))
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def plane_measured_by_scan(
    origin: ArrayLike,
    u: ArrayLike,
    v: ArrayLike,
    x: Array,
    y: Array,
    scan: RotationScan,
    symmetry: Iterable[ArrayLike] = (),
) -> Array:
    """Whether a scan measured the points Q = origin + x u + y v of a plane.

    That is, whether some phi puts Q on the Ewald sphere and its ray on a live pixel. origin, u, v: (3,) in 1/Angstrom
    (with 2 pi), crystal Cartesian (hkl @ cell.reciprocal); x: (nx,), y: (ny,) floating. symmetry: Cartesian (3, 3)
    operations of the group the data were averaged in (Friedel: -1); Q then counts as measured if any equivalent was.
    Judged at the centre of a voxel: programs that fill a voxel from any pixel that touches it keep slightly narrower
    gaps. Returns booleans (ny, nx), rows along v. Raises ValueError for operations that are not orthogonal.
    """
    corner, right, up = (np.asarray(vector, dtype=np.float64) for vector in (origin, u, v))
    masks = []
    for frame in _equivalent_frames(scan, symmetry):
        o, a, b = ((frame @ vector).tolist() for vector in (corner, right, up))
        q_x, q_y, q_z = ((o[i] + a[i] * x)[None, :] + (b[i] * y)[:, None] for i in range(3))
        masks.append(_struck(q_x, q_y, q_z, scan))
    return _any_of(masks)


def _any_of(masks: Iterable[Array]) -> Array:
    return reduce(operator.or_, masks)


def _equivalent_frames(scan: RotationScan, symmetry: Iterable[ArrayLike]) -> list[NDArray[np.float64]]:
    """Matrices from crystal Cartesian to the goniometer at mid-sweep, for each turn and each equivalent."""
    # The identity comes first and once, whether or not the caller names it.
    rounded = (np.round(np.asarray(S, dtype=np.float64), 9) for S in symmetry)
    operations = dict.fromkeys([IDENTITY, *(as_rotation(S, improper=True) for S in rounded)])
    middle = spindle_rotation(scan.start + scan.sweep / 2)
    return [middle @ frame @ np.array(S) for frame in scan.frames() for S in operations]


def _on_ewald_sphere(q_x: Array, q_y: Array, q_z: Array, k: float) -> tuple[Array, Array, Array]:
    """Whether Q can be turned onto the Ewald sphere, and x and |y| where it then is: (x, +-y, q_z)."""
    xp = array_namespace(q_x)
    squared_radius = q_x * q_x + q_y * q_y
    x = (squared_radius + q_z * q_z) * (-0.5 / k)
    squared_y = squared_radius - x * x
    return squared_y >= 0, x, xp.sqrt(xp.clip(squared_y, 0.0, None))


def _struck(q_x: Array, q_y: Array, q_z: Array, scan: RotationScan) -> Array:
    """Whether either of the two rays of Q, given in the goniometer at mid-sweep, strikes a live pixel."""
    meets, x, y = _on_ewald_sphere(q_x, q_y, q_z, scan.k)
    s_x = x + scan.k
    first = _on_live_pixel(s_x, y, q_z, scan)
    second = _on_live_pixel(s_x, -y, q_z, scan)
    if scan.sweep < 360:
        # cos(phi) q_perp^2 is the product of Q before and after its turn: no angle is ever computed.
        least = (q_x * q_x + q_y * q_y) * math.cos(math.radians(scan.sweep / 2))
        first = first & (q_x * x + q_y * y >= least)
        second = second & (q_x * x - q_y * y >= least)
    return meets & (first | second)


def _on_live_pixel(s_x: Array, s_y: Array, s_z: Array, scan: RotationScan) -> Array:
    """Whether the scattered ray s, of any length, strikes a live pixel outside the beam stop's shadow."""
    xp = array_namespace(s_x)
    normal, across = _turned(s_x, s_y, scan.two_theta)
    right, up = _turned(across, s_z, scan.roll)
    forward = normal > 0
    scale = scan.distance / scan.detector.pixel / xp.where(forward, normal, xp.ones_like(normal))
    (rows, columns), pixel = scan.detector.shape, scan.detector.pixel
    column = right * scale + (columns / 2 - scan.offset[0] / pixel)
    row = up * scale + (rows / 2 - scan.offset[1] / pixel)
    live = _look_up(scan.detector.active_columns, column) & _look_up(scan.detector.active_rows, row)
    return forward & live & ~_in_shadow(s_x, s_y, s_z, scan)


def _turned(a: Array, b: Array, degrees: float) -> tuple[Array, Array]:
    """Components of (a, b) along axes turned by an angle from a towards b."""
    if degrees == 0:
        return a, b
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return c * a + s * b, c * b - s * a


def _look_up(active: NDArray[np.bool_], position: Array) -> Array:
    """Whether the pixel at a position, counted in pixels from the detector's edge, exists and is active."""
    xp = array_namespace(position)
    # One dead pixel on either side stands for everything beyond the edge.
    table = xp.asarray(np.pad(active, 1), device=device(position))
    index = xp.astype(xp.clip(position + 1.0, 0.0, float(active.size + 1)), xp.int32)
    return xp.reshape(xp.take(table, xp.reshape(index, (-1,)), axis=0), position.shape)


def _in_shadow(s_x: Array, s_y: Array, s_z: Array, scan: RotationScan) -> Array:
    """Whether the ray s runs into the beam stop or its arm."""
    xp = array_namespace(s_x)
    stop = scan.beam_stop
    shadow = s_y * s_y + s_z * s_z < (stop.radius / scan.distance * s_x) ** 2
    if stop.arm_width > 0:
        along, across = _turned(s_y, s_z, stop.arm_angle)
        shadow = shadow | ((along > 0) & (xp.abs(across) < stop.arm_width / (2 * scan.distance) * s_x))
    return shadow & (s_x > 0)


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


# ---- intensities -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Background:
    """Smooth isotropic scattering that is not the crystal's, in units of a plane's mean intensity.

    B(Q) = constant + air / (1 + Q^2 / air_width^2) + halo exp(-(|Q| - halo_centre)^2 / (2 halo_width^2)):
    fluorescence, air around the beam, and the first ring of glue, oil or glass. Widths and centre in
    1/Angstrom. Each is a number or an array (...), one for each plane.
    """

    constant: PerPlane = 0.0
    air: PerPlane = 0.0
    air_width: PerPlane = 0.5
    halo: PerPlane = 0.0
    halo_centre: PerPlane = 1.4
    halo_width: PerPlane = 0.3


def debye_waller(q_squared: Array, b: PerPlane) -> Array:
    """Debye-Waller factor exp(-b Q^2).

    q_squared: (..., ny, nx) in 1/Angstrom^2; b: D_w in Angstrom^2, a number or (...). Returns (..., ny, nx).
    Source: eq. (13), Fuller & Rudden 2024. A mean-square displacement u^2 along Q gives b = u^2.
    """
    return array_namespace(q_squared).exp(-_per_plane(b) * q_squared)


def add_background(intensity: Array, q_squared: Array, background: Background) -> Array:
    """Intensity plus mean(intensity) B(Q), with B the curve of `Background`.

    intensity: (..., ny, nx); q_squared: likewise, in 1/Angstrom^2. Returns (..., ny, nx).
    """
    xp = array_namespace(intensity)
    width, centre = _per_plane(background.halo_width), _per_plane(background.halo_centre)
    air = _per_plane(background.air) / (1 + q_squared / _per_plane(background.air_width) ** 2)
    halo = _per_plane(background.halo) * xp.exp(-0.5 * ((xp.sqrt(q_squared) - centre) / width) ** 2)
    return intensity + _mean(intensity) * (_per_plane(background.constant) + air + halo)


def draw_background(rng: np.random.Generator) -> Background:
    """A random background: up to 0.3 of the mean intensity flat, air and a halo 0.3 and 0.1 on average."""
    return Background(
        constant=float(rng.uniform(0, 0.3)),
        air=float(rng.exponential(0.3)),
        air_width=float(rng.uniform(0.3, 1.5)),
        halo=float(rng.exponential(0.1)),
        halo_centre=float(rng.uniform(1.2, 1.9)),
        halo_width=float(rng.uniform(0.15, 0.5)),
    )


def bragg_residue(hkl: NDArray[np.float64], height: float, width: float, seed: int) -> NDArray[np.float32]:
    """What imperfect removal of Bragg peaks leaves (...): a Gaussian of random height at every integer hkl (..., 3).

    height: the mean one, in units of the plane's mean intensity; width: s.d. in r.l.u. Heights follow Wilson's
    exponential distribution, are equal at hkl and -hkl (Friedel), and depend on hkl and the seed alone: planes that
    share a reflection agree on it.
    """
    nearest = np.round(hkl)
    heights = np.random.default_rng(seed).exponential(height, 4096)
    # Friedel's law: a hash of squares gives hkl and -hkl one height.
    code = (nearest.astype(np.int64) @ np.array([73856093, 19349663, 83492791])) ** 2 % _PRIME
    shape = np.exp(-0.5 * np.sum((hkl - nearest) ** 2, axis=-1) / width**2)
    return np.asarray(heights[code] * shape, dtype=np.float32)


def add_blur(intensity: Array, sigma: PerPlane, periodic: bool = False) -> Array:
    """Intensity convolved with a Gaussian: the resolution of beam, crystal and detector.

    intensity: (..., ny, nx), all measured; sigma: s.d. in pixels, a number or (...). Returns (..., ny, nx).
    Two matrix products, one for each axis. Every row of a kernel sums to 1, so a constant plane stays
    as it is; at the border the Gaussian is cut and renormalised, or wraps around if `periodic`.
    """
    xp = array_namespace(intensity)
    rows = _gaussian_kernel(intensity, intensity.shape[-2], sigma, periodic)
    columns = _gaussian_kernel(intensity, intensity.shape[-1], sigma, periodic)
    return xp.matmul(xp.matmul(rows, intensity), xp.matrix_transpose(columns))


def _gaussian_kernel(like: Array, n: int, sigma: PerPlane, periodic: bool) -> Array:
    xp = array_namespace(like)
    index = xp.arange(n, dtype=like.dtype, device=device(like))
    gap = xp.abs(index[:, None] - index[None, :])
    if periodic:
        gap = xp.minimum(gap, n - gap)
    # A narrower Gaussian than this is already the identity; zero would divide zero by zero.
    width = max(sigma, 1e-2) if isinstance(sigma, int | float) else xp.clip(sigma, 1e-2, None)
    kernel = xp.exp(-0.5 * (gap / _per_plane(width)) ** 2)
    return kernel / xp.sum(kernel, axis=-1, keepdims=True)


def add_counting_noise(intensity: Array, mean_counts: PerPlane, normal: Array) -> Array:
    """Intensity as if counted: never negative, its mean kept, its variance that of Poisson.

    intensity: (..., ny, nx), not negative; mean_counts: counts in an average pixel, a number or (...);
    normal: standard normal numbers (..., ny, nx). Returns (..., ny, nx) in the units of intensity.

    A pixel of n expected counts becomes (m + s z)^2 with m^2 + s^2 = n and 4 m^2 s^2 + 2 s^4 = n, so its mean
    and its variance are n exactly for n >= 1/2; below, m = 0 keeps the mean and the variance is 2 n^2.
    For many counts s -> 1/2, Anscombe's square root, and the Gaussian n + sqrt(n) z is the limit.
    """
    xp = array_namespace(intensity)
    tiny = 1e-20
    scale = _per_plane(mean_counts) / xp.clip(_mean(intensity), tiny, None)
    n = intensity * scale
    # The smaller root of 2 s^4 - 4 n s^2 + n = 0, written without a difference of large numbers.
    root = xp.sqrt(xp.clip(1 - 0.5 / xp.clip(n, tiny, None), 0.0, None))
    s_squared = xp.minimum(n, 0.5 / (1 + root))
    counts = (xp.sqrt(n - s_squared) + xp.sqrt(s_squared) * normal) ** 2
    return counts / scale


def add_whole_counts(intensity: Array, mean_counts: PerPlane, normal: Array) -> Array:
    """Intensity as counted where counts are few: whole numbers of Poisson's law, in the units of intensity.

    As `add_counting_noise`; pixels of more than MANY_COUNTS expected counts take the rounded value of that. Each
    normal number is one quantile: the count is how many terms of the cumulated law lie below it.
    """
    xp = array_namespace(intensity)
    tiny = 1e-20
    scale = _per_plane(mean_counts) / xp.clip(_mean(intensity), tiny, None)
    n = intensity * scale
    few = xp.clip(n, tiny, MANY_COUNTS)
    quantile = _normal_distribution(normal)
    term = xp.exp(-few)
    below, counts = term, xp.zeros_like(n)
    for k in range(1, int(MANY_COUNTS + 6 * MANY_COUNTS**0.5)):
        more = quantile > below
        if not bool(xp.any(more)):
            break
        counts = counts + xp.astype(more, n.dtype)
        term = term * few / k
        below = below + term
    many = xp.round(add_counting_noise(intensity, mean_counts, normal) * scale)
    return xp.where(n > MANY_COUNTS, many, counts) / scale


def _normal_distribution(z: Array) -> Array:
    """Phi(z) to 1e-4 (the logistic form of Bowling et al., 2009), which is finer than any count is known."""
    xp = array_namespace(z)
    return 1 / (1 + xp.exp(-(1.5976 * z + 0.07056 * z**3)))


def _mean(intensity: Array) -> Array:
    """Mean of each plane, (..., 1, 1)."""
    return array_namespace(intensity).mean(intensity, axis=(-2, -1), keepdims=True)


def _per_plane(value: PerPlane) -> Any:
    """A number as it is, an array (...) as (..., 1, 1)."""
    return value if isinstance(value, int | float) else value[..., None, None]
