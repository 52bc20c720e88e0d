"""From the lines of a powder and an instrument to intensity on a two-theta grid."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_torch_namespace
from numpy.typing import NDArray
from scipy.fft import next_fast_len

from unscatter.atoms import Radiation
from unscatter.nouns.arrays import Array
from unscatter.nouns.reflections import Reflections

# Widths between two rungs of a ladder are made of four rungs; these steps of ln(width) keep that to 8e-4.
_LADDER = {"gaussian": 0.22, "lorentzian": 0.35}
# Beyond this many FWHM a Gaussian is below 1e-6 of its maximum; a Lorentzian only ends where it is cut.
_REACH = {"gaussian": 2.25, "lorentzian": math.inf}
# Points of the grid that the narrowest FWHM spans at least; a coarser grid is divided.
_SAMPLES = 3.2
# Convolutions have lengths near multiples of this many points.
_BLOCK = 128


@dataclass(frozen=True)
class Instrument:
    """A constant-wavelength powder diffractometer.

    wavelengths in Angstrom and their weights; caglioti: U, V, W in deg^2, FWHM^2 = U tan^2 + V tan + W;
    mixing: Lorentzian share eta = mixing[0] + mixing[1] two-theta (deg), kept within 0 and 1; axial: half
    height of sample and of detector over their distance; monochromator: two-theta of its crystal in degrees;
    range: first and last two-theta and step in degrees; cut: lines end this many FWHM from their centre;
    mu_r: absorption times radius of a cylindrical sample; zero: shift of all angles in degrees.
    """

    name: str
    radiation: Radiation
    wavelengths: tuple[float, ...]
    caglioti: tuple[float, float, float]
    range: tuple[float, float, float]
    weights: tuple[float, ...] = (1.0,)
    mixing: tuple[float, float] = (0.0, 0.0)
    axial: float = 0.0
    monochromator: float = 0.0
    cut: float = 8.0
    mu_r: float = 0.0
    zero: float = 0.0
    title: str = ""

    def __post_init__(self) -> None:
        """Refuse what is not an instrument."""
        if len(self.wavelengths) != len(self.weights) or min(self.wavelengths, default=0) <= 0:
            raise ValueError(f"{self.name}: give one weight for each wavelength (Angstrom, more than 0)")
        start, stop, step = self.range
        if not (0 <= start < stop < 180 and step > 0):
            raise ValueError(f"{self.name}: range {self.range} cannot be; give first, last and step in degrees")

    @property
    def two_theta(self) -> NDArray[np.float64]:
        """Angles at which the instrument measures, in degrees, evenly spaced."""
        start, stop, step = self.range
        return np.asarray(start + step * np.arange(round((stop - start) / step) + 1), dtype=np.float64)

    @property
    def limit(self) -> float:
        """Largest 1/d in 1/Angstrom that is measured: 2 sin(theta_max) / lambda."""
        return 2 * math.sin(math.radians(self.range[1] / 2)) / min(self.wavelengths)


@dataclass(frozen=True)
class Lines:
    """Peaks of one or many patterns: position and fwhm in degrees, area, eta; row: number of the pattern."""

    position: Array
    area: Array
    fwhm: Array
    eta: Array
    row: Array


@cache
def read_instruments() -> dict[str, Instrument]:
    """Instruments that come with the package, by name ("lolla-2022", "bt1-ge311", "hrpt", "lab-cu", ...)."""
    table = tomllib.loads((files("unscatter.data") / "instruments.toml").read_text(encoding="utf-8"))
    return {name: _instrument(name, dict(entry)) for name, entry in table.items()}


def _instrument(name: str, entry: dict[str, Any]) -> Instrument:
    # A variance in hundredths of a degree squared, as GSAS writes it, becomes a squared FWHM in degrees.
    unit = {"deg2": 1.0, "centideg2": 8 * math.log(2) * 1e-4}[entry.pop("caglioti_unit", "deg2")]
    numbers: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    numbers["caglioti"] = tuple(unit * number for number in entry["caglioti"])
    return Instrument(name=name, **numbers)


def simulate_profile(reflections: Reflections, instrument: Instrument) -> Array:
    """Intensity (n,) of one powder on the grid of the instrument, without background or noise.

    I(2 theta) = sum over lines of m |F|^2 / V^2 LP A p(2 theta - position), p of unit area in degrees.
    """
    return simulate_profiles([reflections], [instrument])[0, ...]


def simulate_profiles(powders: Sequence[Reflections], instruments: Sequence[Instrument]) -> Array:
    """Intensities (rows, n), one powder and one instrument a row, as simulate_profile; all on one grid.

    The arrays of the reflections decide the library, the device and the precision of the result. Raises
    ValueError if the instruments do not share their range.
    """
    if len({instrument.range for instrument in instruments}) != 1 or len(powders) != len(instruments):
        raise ValueError("profiles simulated together need an instrument for each powder, and one common range")
    start, stop, step = instruments[0].range
    lines = find_lines(powders, instruments)
    lines = spread_axially(lines, np.array([i.axial for i in instruments]))
    points = round((stop - start) / step) + 1
    return sum_lines(lines, start, step, (len(powders), points), max(i.cut for i in instruments))


def find_lines(powders: Sequence[Reflections], instruments: Sequence[Instrument]) -> Lines:
    """Peaks of every powder on its instrument, symmetric: position, area, width and shape of each line."""
    xp = array_namespace(powders[0].inverse_d, powders[0].f_squared)
    rows = np.repeat(np.arange(len(powders)), [len(p) for p in powders])
    inverse_d = xp.concat([p.inverse_d for p in powders])
    row = xp.asarray(rows, device=device(inverse_d))
    strength = xp.concat([p.multiplicity * p.f_squared / p.volume**2 for p in powders])

    def number(values: list[float]) -> Array:
        return xp.asarray(np.array(values)[rows], dtype=inverse_d.dtype, device=device(inverse_d))

    parts = []
    for k in range(max(len(i.wavelengths) for i in instruments)):
        wavelength = number([i.wavelengths[k] if k < len(i.wavelengths) else 0.0 for i in instruments])
        weight = number([i.weights[k] / sum(i.weights) if k < len(i.weights) else 0.0 for i in instruments])
        sine = inverse_d * wavelength / 2
        seen = (sine < 1) & (sine > 0)
        theta = xp.asin(xp.where(seen, sine, 0.5))
        factor = lorentz_polarisation(theta, number([polarised_share(i) for i in instruments]))
        factor = factor * cylinder_absorption(theta, number([i.mu_r for i in instruments]))
        two_theta = 2 * theta * (180 / math.pi)
        eta = number([i.mixing[0] for i in instruments]) + number([i.mixing[1] for i in instruments]) * two_theta
        parts.append(
            Lines(
                position=two_theta + number([i.zero for i in instruments]),
                area=xp.where(seen, strength * weight * factor, 0.0),
                fwhm=caglioti_fwhm(theta, *(number([i.caglioti[j] for i in instruments]) for j in range(3))),
                eta=xp.clip(eta, 0.0, 1.0),
                row=row,
            )
        )
    return parts[0] if len(parts) == 1 else _join(parts)


def caglioti_fwhm(theta: Array, u: Array, v: Array, w: Array) -> Array:
    """FWHM in degrees at theta (radians): FWHM^2 = U tan^2 + V tan + W, at least 0.01 deg.

    Source: Caglioti, Paoletti & Ricci, Nucl. Instrum. 3, 223 (1958).
    """
    xp = array_namespace(theta)
    tangent = xp.tan(theta)
    squared = (u * tangent + v) * tangent + w
    return xp.sqrt(xp.where(squared > 1e-4, squared, 1e-4))


def lorentz_polarisation(theta: Array, polarised: Array | float = 0.0) -> Array:
    """Lorentz factor 1 / (sin^2 cos) at theta (radians) times polarisation (1 + P cos^2 2 theta) / (1 + P).

    P = cos^2 of the monochromator's two-theta for X-rays (1 without one), 0 for neutrons.
    """
    xp = array_namespace(theta)
    lorentz = 1 / (xp.sin(theta) ** 2 * xp.cos(theta))
    return lorentz * (1 + polarised * xp.cos(2 * theta) ** 2) / (1 + polarised)


def polarised_share(instrument: Instrument) -> float:
    """P = cos^2 of the monochromator's two-theta for X-rays, 0 for neutrons; see lorentz_polarisation."""
    return 0.0 if instrument.radiation == "neutron" else math.cos(math.radians(instrument.monochromator)) ** 2


def cylinder_absorption(theta: Array, mu_r: Array | float) -> Array:
    """Transmission of a cylinder of absorption mu times radius r below 1, at theta in radians.

    Source: Hewat, Acta Cryst. A35, 248 (1979), after Rouse et al., Acta Cryst. A26, 682 (1970).
    """
    xp = array_namespace(theta)
    sine = xp.sin(theta) ** 2
    return xp.exp(-(1.7133 - 0.0368 * sine) * mu_r + (0.0927 + 0.375 * sine) * mu_r**2)


def spread_axially(lines: Lines, axial: NDArray[np.float64], nodes: int = 8) -> Lines:
    """Split lines into `nodes` that lean to one side, as the height of sample and detector makes them.

    Rays that leave the plane by z times the distance are seen at cos(phi) = cos(2 theta) sqrt(1 + z^2), and z
    has a triangular density up to 2 `axial` (rows,). Lines that would move by less than 1/20 FWHM stay whole.
    Source: Finger, Cox & Jephcoat, J. Appl. Cryst. 27, 892 (1994), with equal heights.
    """
    if not np.any(axial):
        return lines
    xp = array_namespace(lines.position)
    reach = 2 * xp.asarray(axial, dtype=lines.position.dtype, device=device(lines.position))[lines.row]
    cosine = xp.cos(lines.position * (math.pi / 180))
    leaning = xp.abs(_axial_angle(cosine, reach) - lines.position) > 0.05 * lines.fwhm
    heights, shares = (xp.asarray(n, dtype=cosine.dtype, device=device(cosine))[:, None] for n in _triangle(nodes))
    chosen = _chosen(lines, leaning)
    position = _axial_angle(cosine[leaning], heights * reach[leaning])
    columns = (position, shares * chosen.area, *(xp.tile(c, (nodes, 1)) for c in _columns(chosen)[2:]))
    return _join([_chosen(lines, ~leaning), Lines(*(xp.reshape(column, (-1,)) for column in columns))])


@cache
def _triangle(nodes: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places and weights (nodes,) to integrate over the density 2 (1 - x) between 0 and 1."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    x = (x + 1) / 2
    return x, w * (1 - x) / np.sum(w * (1 - x))


def sum_lines(lines: Lines, start: float, step: float, shape: tuple[int, int], cut: float = 8.0) -> Array:
    """Sum of pseudo-Voigt peaks on rows of an even grid: (rows, points), first angle and step in degrees.

    p(x) = eta 2 / (pi w) / (1 + 4 x^2 / w^2) + (1 - eta) 2 sqrt(ln 2 / pi) / w exp(-4 ln 2 x^2 / w^2), w the
    FWHM, and 0 beyond `cut` w. Each line is shared between the nearest points of the grid and the nearest
    rungs of a ladder of widths, and each rung is one short convolution: right to 1e-3 of the highest peak
    (3e-3 for narrow lines that are mostly Lorentzian), in time that hardly grows with the number of lines.
    """
    xp = array_namespace(lines.position)
    rows, points = shape
    place = (lines.position - start) / step
    reach = cut * lines.fwhm / step
    visible = (lines.area > 0) & (place > -reach) & (place < points - 1 + reach)
    if not bool(xp.any(visible)):
        return xp.zeros(shape, dtype=lines.area.dtype, device=device(lines.area))
    lines = _chosen(lines, visible)
    fine = max(1, math.ceil(_SAMPLES * step / float(xp.min(lines.fwhm))))
    step, points = step / fine, (points - 1) * fine + 1
    margin = math.ceil(3 * cut * float(xp.max(lines.fwhm)) / step) + 8
    total = xp.zeros((rows, points + 2 * margin), dtype=lines.area.dtype, device=device(lines.area))
    place = (lines.position - start) / step + margin
    for name, share in (("gaussian", 1 - lines.eta), ("lorentzian", lines.eta)):
        if bool(xp.any(share > 0)):
            _add_shape(total, name, place, lines.area * share, lines, step, cut)
    return total[:, margin : margin + points : fine]


def chebyshev_background(two_theta: Array, coefficients: Sequence[float]) -> Array:
    """Smooth background (n,): sum_k c_k T_k(x), x from -1 at the first angle to 1 at the last."""
    xp = array_namespace(two_theta)
    x = 2 * (two_theta - two_theta[0]) / (two_theta[-1] - two_theta[0]) - 1
    terms = [xp.ones_like(x), x]
    while len(terms) < len(coefficients):
        terms.append(2 * x * terms[-1] - terms[-2])
    return sum(c * term for c, term in zip(coefficients, terms, strict=False))


def amorphous_background(two_theta: Array, centre: float, width: float, height: float) -> Array:
    """Hump (n,) of an amorphous part or a sample holder: a Gaussian of FWHM `width`, all in degrees."""
    return height * _gaussian(((two_theta - centre) / width) ** 2)


def _add_shape(total: Array, name: str, place: Array, area: Array, lines: Lines, step: float, cut: float) -> None:
    """Add all lines of one shape to total (rows, points), rung by rung of the ladder of widths."""
    xp = array_namespace(place)
    height = xp.log(lines.fwhm) / _LADDER[name]
    order = xp.argsort(height)
    rung, rung_share = _neighbours(height[order], _lagrange)
    point, point_share = _neighbours(place[order], _spline)
    share, row = point_share * area[order][:, None], lines.row[order]
    numbers, counts = xp.unique_counts(rung[:, 0])
    # Lines that start on rung k have their shares on k, ..., k + 3, and lie side by side.
    ends = np.cumsum(np.asarray(counts.tolist())).tolist()
    groups = dict(zip(numbers.tolist(), map(slice, [0, *ends[:-1]], ends), strict=True))
    for j in range(min(groups), max(groups) + 4):
        near = [k for k in range(j - 3, j + 1) if k in groups]
        if near:
            part = slice(groups[near[0]].start, groups[near[-1]].stop)
            weight = xp.concat([rung_share[groups[k], j - k] for k in near])
            _add_rung(total, name, j, point[part, :], share[part, :] * weight[:, None], row[part], step, cut)


def _add_rung(total: Array, name: str, j: int, point: Array, share: Array, row: Array, step: float, cut: float) -> None:
    """Add lines of the width of rung j, spread over points: one convolution of the stretch they cover."""
    xp = array_namespace(share)
    pad = math.ceil(min(cut, _REACH[name]) * math.exp(_LADDER[name] * j) / step)
    begin = int(xp.min(point[:, 0])) - pad
    span = int(xp.max(point[:, -1])) + pad + 1 - begin
    # Few different lengths, so that the transforms of the kernels are found again.
    size = _length(math.ceil(span / _BLOCK))
    kernel = xp.asarray(_kernel(name, j, step, size, cut), dtype=share.dtype, device=device(share))
    spread = _scatter_add(xp, point + (row * size - begin)[:, None], share, (total.shape[0], size))
    convolved = xp.fft.irfft(xp.fft.rfft(spread) * kernel, n=size)
    total[:, begin : begin + span] += convolved[:, :span]


@cache
def _length(blocks: int) -> int:
    return int(next_fast_len(blocks * _BLOCK, real=True))


@lru_cache(maxsize=4096)
def _kernel(name: str, j: int, step: float, size: int, cut: float) -> NDArray[np.float64]:
    """Fourier transform (size / 2 + 1,) of the peak of unit area on rung j, divided by that of the spline."""
    width = math.exp(_LADDER[name] * j)
    x = step * np.minimum(np.arange(size), size - np.arange(size)) / width
    if name == "gaussian":
        peak = _gaussian(x**2) * 2 * math.sqrt(math.log(2) / math.pi) / width
    else:
        peak = 2 / (math.pi * width) / (1 + 4 * x**2)
    kernel = np.fft.rfft(np.where(x <= cut, peak, 0.0)).real
    return np.asarray(kernel / np.sinc(np.fft.rfftfreq(size)) ** 6)


def _neighbours(place: Array, shares: Callable[[Array], tuple[Array, ...]]) -> tuple[Array, Array]:
    """The integers around each place (n,), as many below as above, and their shares: both (n, 4 or 6)."""
    xp = array_namespace(place)
    below = xp.floor(place)
    share = xp.stack(shares(place - below), axis=1)
    count = share.shape[1]
    steps = xp.arange(1 - count // 2, 1 + count // 2, device=device(place))
    return xp.astype(below, xp.int64)[:, None] + steps[None, :], share


def _lagrange(t: Array) -> tuple[Array, ...]:
    """Shares of -1, 0, 1, 2 in the cubic through them, at 0 <= t < 1."""
    below, above = t * (t - 1), (t + 1) * (t - 2)
    return -below * (t - 2) / 6, above * (t - 1) / 2, -above * t / 2, below * (t + 1) / 6


def _spline(t: Array) -> tuple[Array, ...]:
    """Quintic B-splines at -2, ..., 3 of a point at 0 <= t < 1."""
    u = 1 - t
    return _outer(u), _middle(u), _inner(t), _inner(u), _middle(t), _outer(t)


def _outer(t: Array) -> Array:
    t2 = t * t
    return t2 * t2 * t / 120


def _middle(t: Array) -> Array:
    return (1 + t * (5 + t * (10 + t * (10 + t * (5 - 5 * t))))) / 120


def _inner(t: Array) -> Array:
    t2 = t * t
    return (66 + t2 * (-60 + t2 * (30 - 10 * t))) / 120


def _gaussian(x_squared: Array) -> Array:
    return array_namespace(x_squared).exp(-4 * math.log(2) * x_squared)


def _scatter_add(xp: Any, index: Array, values: Array, shape: tuple[int, int]) -> Array:
    # The array API has no scatter; each library has its own fastest one.
    index, values = xp.reshape(index, (-1,)), xp.reshape(values, (-1,))
    size = shape[0] * shape[1]
    if is_torch_namespace(xp):
        flat = xp.zeros(size, dtype=values.dtype, device=device(values)).index_add(0, index, values)
    else:
        flat = np.bincount(index, weights=values, minlength=size).astype(values.dtype, copy=False)
    return xp.reshape(flat, shape)


def _axial_angle(cosine: Array, z: Array) -> Array:
    xp = array_namespace(cosine)
    seen = cosine * xp.sqrt(1 + z * z)
    seen = xp.where(seen > 1, 1.0, xp.where(seen < -1, -1.0, seen))
    return xp.acos(seen) * (180 / math.pi)


def _chosen(lines: Lines, mask: Array) -> Lines:
    return Lines(*(column[mask] for column in _columns(lines)))


def _join(parts: Sequence[Lines]) -> Lines:
    xp = array_namespace(parts[0].position)
    return Lines(*(xp.concat(columns) for columns in zip(*map(_columns, parts), strict=True)))


def _columns(lines: Lines) -> tuple[Array, ...]:
    return lines.position, lines.area, lines.fwhm, lines.eta, lines.row
