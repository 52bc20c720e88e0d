"""The detector and its rotation scan: which points of a plane were measured.

Written once against the array API standard: NumPy arrays and batched torch tensors alike.

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
from typing import TypeAlias

import numpy as np
from array_api_compat import array_namespace, device
from numpy.typing import ArrayLike, NDArray

from unscatter.nouns.arrays import Array

#: A 3 x 3 matrix as three rows of plain numbers: it compares, hashes and goes into a TOML file.
Matrix: TypeAlias = tuple[tuple[float, float, float], ...]

IDENTITY: Matrix = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


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
