"""Chemical short-range order: configurations and Warren-Cowley parameters that crystals could really have.

Three sources: lattice Monte Carlo towards given nearest-neighbour parameters, the damped oscillator of eq. (7) of
Fuller & Rudden (2024), and the mean-field (Krivoglaz-Clapp-Moss) form. All give alpha on a cube of vectors
``alpha[u + R, v + R, w + R]``, |u|, |v|, |w| <= R, with alpha[R, R, R] = 1.
"""

from __future__ import annotations

from functools import cache
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unscatter.data import training_file
from unscatter.nouns.arrays import Floats
from unscatter.nouns.order import OrderParameters

Net: TypeAlias = Literal["square", "hexagonal"]

#: Radius R of the cube of vectors in the shipped bank of Monte Carlo models.
BANK_RADIUS = 7


# --- Monte Carlo -----------------------------------------------------------------------------------------------


def monte_carlo(
    concentration: Floats, targets: Floats, rng: np.random.Generator, box: int = 48, sweeps: int = 80
) -> NDArray[np.uint8]:
    """Draw configurations of A (1) and B (0) with given concentration and alpha along [100], [010], [001].

    Heat-bath Monte Carlo of the Ising model with couplings along the three axes, which is the distribution of
    maximum entropy with these parameters; field and couplings are steered until the parameters are met, where the
    lattice allows it. All sites of one colour of the chessboard are updated at once.

    concentration: (B,), targets: (B, 3); returns (B, box, box, box). Raises ValueError for an odd box.
    """
    if box % 2:
        raise ValueError(f"the box must have an even number of cells along each edge for two colours, got {box}")
    concentration = np.asarray(concentration, dtype=np.float64)
    targets = np.asarray(targets, dtype=np.float64)
    batch = len(concentration)
    occupied = (rng.random((batch, box, box, box), dtype=np.float32) < concentration[:, None, None, None]).astype(
        np.uint8
    )
    colour = np.indices((box, box, box)).sum(axis=0) % 2 == 0
    field = np.log(concentration / (1 - concentration)) / 2
    coupling = np.zeros((batch, 3))
    offset = (27 * np.arange(batch, dtype=np.uint16))[:, None, None, None]
    for sweep in range(sweeps):
        for sites in (colour, ~colour):
            threshold = _heat_bath_thresholds(field, coupling)
            neighbours = _neighbour_code(occupied) + offset
            proposal = rng.integers(0, 65536, size=occupied.shape, dtype=np.uint16) < threshold[neighbours]
            occupied = np.where(sites, proposal, occupied).astype(np.uint8)
        gain = 0.6 / (1 + sweep / 20)
        mean, alpha = _nearest_neighbour_order(occupied)
        field += gain * (concentration - mean) / np.maximum(concentration * (1 - concentration), 0.05) / 2
        coupling = np.clip(coupling + gain * (targets - alpha), -3, 3)
    return occupied


def _neighbour_code(occupied: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Number of occupied neighbours (0, 1, 2) along each axis as one number in base three."""
    code = np.zeros(occupied.shape, dtype=np.uint8)
    for axis, weight in ((1, 9), (2, 3), (3, 1)):
        code += np.uint8(weight) * (np.roll(occupied, 1, axis) + np.roll(occupied, -1, axis))
    return code.astype(np.uint16)


def _heat_bath_thresholds(field: Floats, coupling: Floats) -> NDArray[np.uint16]:
    """Probability of occupation for each neighbour code as a 16-bit threshold, (B * 27,)."""
    counts = np.indices((3, 3, 3)).reshape(3, 27)
    energy = field[:, None] + coupling @ (2.0 * counts - 2.0)
    return np.asarray(65535 / (1 + np.exp(-2 * energy)), dtype=np.uint16).ravel()


def _nearest_neighbour_order(occupied: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    mean = occupied.mean(axis=(1, 2, 3), dtype=np.float64)
    pairs = [np.mean(occupied & np.roll(occupied, 1, axis), axis=(1, 2, 3), dtype=np.float64) for axis in (1, 2, 3)]
    variance = np.maximum(mean * (1 - mean), 1e-9)
    return mean, (np.stack(pairs, axis=1) - mean[:, None] ** 2) / variance[:, None]


def warren_cowley(occupied: NDArray[np.uint8], radius: int) -> Floats:
    """All alpha of a periodic configuration by FFT, eq. (4): alpha_v = (<s s_v> - m^2) / (m (1 - m)).

    occupied: (..., n, n, n); returns (..., 2R+1, 2R+1, 2R+1). The autocorrelation of a box is positive definite:
    times a positive-definite window its Fourier series is never negative.
    """
    box = occupied.shape[-1]
    if radius > box // 2:
        raise ValueError(f"vectors of up to {radius} cells do not fit a periodic box of {box}: use at most {box // 2}")
    mean = occupied.mean(axis=(-3, -2, -1), keepdims=True, dtype=np.float64)
    spectrum = np.abs(np.fft.rfftn(occupied - mean, axes=(-3, -2, -1))) ** 2
    correlation = np.fft.irfftn(spectrum, s=occupied.shape[-3:], axes=(-3, -2, -1))
    correlation /= np.maximum(correlation[..., :1, :1, :1], 1e-12)
    return crop_to_cube(correlation, radius)


def crop_to_cube(correlation: Floats, radius: int) -> Floats:
    """Cut |u|, |v|, |w| <= R out of a periodic correlation with the origin at index 0."""
    index = np.arange(-radius, radius + 1)
    return correlation[..., index[:, None, None], index[None, :, None], index[None, None, :]]


# --- Closed forms on nets ----------------------------------------------------------------------------------------


def shells(net: Net, radius: int) -> NDArray[np.int64]:
    """Number of the neighbour shell of every vector of a two-dimensional net, (2R+1, 2R+1); 0 is the origin."""
    index = np.arange(-radius, radius + 1)
    u, w = index[:, None], index[None, :]
    # Squared lengths; the hexagonal net has its axes 120 degrees apart.
    length = u**2 + w**2 - (u * w if net == "hexagonal" else 0)
    return np.unique(length, return_inverse=True)[1].reshape(length.shape).astype(np.int64)


def damped_oscillator(net: Net, amplitude: float, decay: float, frequency: float, radius: int) -> Floats:
    """alpha_x = A exp(-d x) cos(omega x) with the shell number x, eq. (7), on a net, (2R+1, 2R+1); alpha_0 = 1."""
    x = shells(net, radius)
    alpha: Floats = amplitude * np.exp(-decay * x) * np.cos(frequency * x)
    alpha[x == 0] = 1.0
    return alpha


def clapp_moss(net: Net, potentials: Floats, strength: float, radius: int, grid: int = 64) -> Floats:
    """Mean-field short-range order on a net: I_SRO(q) = C / (1 + strength V(q) / |min V|), mean 1, (2R+1, 2R+1).

    potentials: pair potential of the first shells; 0 <= strength < 1 is the distance from the ordering transition.
    Source: Clapp & Moss, Phys. Rev. 142, 418 (1966).
    """
    shell = shells(net, 4)
    pair = np.where(
        (shell > 0) & (shell <= len(potentials)),
        np.append(potentials, 0.0)[np.minimum(shell - 1, len(potentials))],
        0.0,
    )
    index = np.arange(-4, 5)
    wave = np.exp(2j * np.pi * np.outer(np.arange(grid), index) / grid)
    potential = np.real(wave @ pair @ wave.T)
    intensity = 1 / (1 + strength * potential / max(-potential.min(), 1e-9))
    alpha = np.real(np.fft.ifft2(intensity / intensity.mean()))
    index = np.arange(-radius, radius + 1)
    return alpha[index[:, None], index[None, :]]


def make_non_negative(alpha: Floats, grid: int = 64) -> Floats:
    """Scale alpha_v, v != 0, down until the Fourier series of a net is nowhere negative on a fine grid."""
    radius = alpha.shape[0] // 2
    wave = np.exp(2j * np.pi * np.outer(np.arange(grid), np.arange(-radius, radius + 1)) / grid)
    waviness = np.real(wave @ alpha @ wave.T) - alpha[radius, radius]
    factor = min(1.0, 1.0 / max(-waviness.min(), 1e-12))
    scaled: Floats = alpha * factor
    scaled[radius, radius] = alpha[radius, radius]
    return scaled


def stack_layers(alpha: Floats, persistence: float) -> Floats:
    """Correlate identical layers along the unique axis b: alpha[u, v, w] = alpha[u, w] p^|v|, positive definite."""
    radius = alpha.shape[0] // 2
    along: Floats = persistence ** np.abs(np.arange(-radius, radius + 1, dtype=np.float64))
    return alpha[:, None, :] * along[None, :, None]


# --- Windows and lists -------------------------------------------------------------------------------------------


def parzen_window(radius: int, width: float) -> Floats:
    """Parzen's window on -R..R, zero from |u| = width on: smooth and positive definite, so it makes no ripple below 0.

    w(t) = 1 - 6 t^2 (1 - t) for t = |u| / width < 1/2 and 2 (1 - t)^3 up to t = 1.
    """
    t = np.abs(np.arange(-radius, radius + 1)) / width
    return np.where(t < 0.5, 1 - 6 * t**2 * (1 - t), 2 * np.clip(1 - t, 0, None) ** 3)


def apply_window(alpha: Floats, width: float) -> Floats:
    """Cut a cube of alphas off smoothly along its three axes with `parzen_window`."""
    window = parzen_window(alpha.shape[0] // 2, width)
    return alpha * window[:, None, None] * window[None, :, None] * window[None, None, :]


@cache
def half_space(radius: int) -> NDArray[np.int64]:
    """One of each v and -v with |u|, |v|, |w| <= R, the origin first; 666 vectors for R = 5."""
    index = np.arange(-radius, radius + 1)
    vectors = np.stack(np.meshgrid(index, index, index, indexing="ij"), axis=-1).reshape(-1, 3)
    return vectors[len(vectors) // 2 :]


def to_order_parameters(alpha: Floats, concentration: float) -> OrderParameters:
    """List the half space of a cube of alphas."""
    vectors = half_space(alpha.shape[0] // 2)
    return OrderParameters(vectors, alpha.reshape(-1)[alpha.size // 2 :], concentration)


def published_order(order: OrderParameters) -> OrderParameters:
    """The published recipe's series: |u| <= 5, and the origin counted twice like every other vector."""
    near = np.all(np.abs(order.vectors) <= 5, axis=1)
    vectors, alpha = order.vectors[near], np.array(order.alpha[near], dtype=np.float64)
    alpha[np.all(vectors == 0, axis=1)] *= 2
    return OrderParameters(vectors, alpha, order.concentration)


# --- The shipped bank of Monte Carlo models ------------------------------------------------------------------------


def draw_targets(rng: np.random.Generator, count: int) -> tuple[Floats, Floats]:
    """Random concentrations (count,) in 0.1-0.5 and targets (count, 3) for alpha[100], alpha[010], alpha[001]."""
    concentration = rng.uniform(0.1, 0.5, count)
    # P_AB <= min(m_A, m_B) bounds alpha from below at -m / (1 - m).
    lowest = np.maximum(-0.6, -0.9 * concentration / (1 - concentration))
    targets = rng.uniform(lowest[:, None], 0.6, (count, 3))
    # Above a mean of 0.33 the three-dimensional Ising model separates into two phases: no short-range order is left.
    excess = np.maximum(targets.mean(axis=1, keepdims=True) / 0.3, 1)
    return concentration, targets / excess


@cache
def monte_carlo_bank() -> tuple[NDArray[np.float16], NDArray[np.float64]]:
    """The shipped models of tools/build_order_bank.py: alphas (n, half space of R = 7) and concentrations (n,)."""
    with np.load(training_file("order_bank.npz")) as bank:
        return bank["alpha"], bank["concentration"].astype(np.float64)


def bank_cube(index: int) -> tuple[Floats, float]:
    """Alphas on the cube of R = 7 and the concentration of one model of the bank."""
    alpha, concentration = monte_carlo_bank()
    half = alpha[index].astype(np.float64)
    edge = 2 * BANK_RADIUS + 1
    return np.concatenate([half[:0:-1], half]).reshape(edge, edge, edge), float(concentration[index])
