"""Take a whole volume apart with its lattice: one three-dimensional I_SRO from all cells of all layers, one I_FF.

I_SRO(hkl) = sum over p of c_p cos(2 pi p . hkl), a Fourier series over lattice vectors p with c_p = c_-p, is fitted by
least squares to I / I_FF over all measured voxels; then I_FF = <w I I_SRO> / <w I_SRO^2> over a quarter of a reciprocal
cell; and again. Sums over voxels are made layer by layer, so that memory does not grow with the volume: the normal
matrix of a Fourier series is a convolution with the Fourier sums of the weights, and it is never written down.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfftn, next_fast_len, rfftn
from scipy.ndimage import convolve1d

from unscatter.nouns.arrays import Floats
from unscatter.nouns.order import OrderParameters
from unscatter.nouns.volume import Volume
from unscatter.nouns.volume_components import (
    VolumeComponents,
    h_and_k,
    hat_matrix,
    series_on_layers,
    waves,
)
from unscatter.version import __version__

#: Called with the share that is done, 0 to 1, and what is being done.
Report = Callable[[float, str], None]

#: Spacing of the nodes of I_FF, in reciprocal cells.
NODE_SPACING = 0.25
#: Highest harmonic along an axis, however fine the voxels are.
HIGHEST_ORDER = 12
#: Voxels in memory at once.
BLOCK_VOXELS = 2_000_000
#: What the data do not determine is pulled to zero by this share of the mean weight.
RIDGE = 1e-3
#: Groups of layers that are left out in turn: the scatter of what is left gives the standard uncertainties.
GROUPS = 8
#: Beyond so many spreads the weight of a voxel falls with the square: Bragg residue, hot pixels.
TRUST = 5.0


@dataclass(frozen=True)
class _Sums:
    """Fourier sums of one group of layers: of the weights, to twice the order, and of weight times value."""

    weight: Floats
    value: Floats


@dataclass(frozen=True)
class _State:
    """What is known after a round: I_FF on the nodes, the series, and how far voxels scatter in sqrt(model)."""

    form: Floats
    series: Floats
    spread: float


def factorize_volume(volume: Volume, *, rounds: int = 3, report: Report | None = None) -> VolumeComponents:
    """Take a volume apart into one periodic I_SRO and one smooth I_FF, I_D = I_FF I_SRO, by the lattice alone.

    volume: axes in reciprocal-lattice units, NaN where not measured; it may stay on disk, blocks of layers are read
    2 rounds + 1 times. Standard uncertainties of the alphas are of a jackknife over groups of layers. report: called
    with the share done.
    Raises ValueError for a volume with less than one reciprocal cell along an axis, with axes that are not whole
    directions of the lattice, or in which nothing was measured.
    """
    started = time.perf_counter()
    work = _Work(volume, rounds, report or (lambda share, what: None))
    state = work.begin()
    sums: list[_Sums] = []
    before = state.series
    for number in range(rounds):
        before = state.series
        sums = work.fourier_sums(state, 2 * number + 1)
        series = work.normalise(solve_series(sums, work.allowed, state.series))
        state = work.fit_form(_State(state.form, series, state.spread), 2 * number + 2, last=number == rounds - 1)
    order = work.order_parameters(state.series, before, sums)
    provenance: dict[str, Any] = {
        "program": "unscatter",
        "version": __version__,
        "method": "least squares over all reciprocal cells, no network",
        "rounds": rounds,
        "voxels": int(np.prod(work.shape)),
        "measured": work.measured,
        "highest_harmonics_hkl": [(n - 1) // 2 for n in state.series.shape[::-1]],
        "node_spacing_rlu": NODE_SPACING,
        "seconds": round(time.perf_counter() - started, 2),
    }
    return VolumeComponents(volume, state.form, work.nodes, state.series, order, provenance)


class _Work:
    """The sums over a volume, made block by block of layers."""

    def __init__(self, volume: Volume, rounds: int, report: Report) -> None:
        self.volume = volume
        self.axes = (volume.h, volume.k, volume.l)
        self.shape = (volume.l.size, volume.k.size, volume.h.size)
        self.report, self.passes = report, 2 * rounds + 1
        self.basis = whole_basis(volume)
        self.orders = tuple(_highest_order(axis, name) for axis, name in zip(self.axes, "hkl", strict=True))
        self.nodes = (_nodes(volume.h), _nodes(volume.k), _nodes(volume.l))
        self.hats = tuple(hat_matrix(nodes, axis) for nodes, axis in zip(self.nodes, self.axes, strict=True))
        self.allowed = lattice_mask(self.orders, self.basis)
        self.measured = 0

    def blocks(self, number: int, what: str) -> Iterator[tuple[slice, Floats, Floats]]:
        """Blocks of layers with their intensity, 0 where not measured, and 1 or 0 for measured or not."""
        count = max(1, BLOCK_VOXELS // (self.shape[1] * self.shape[2]))
        for start in range(0, self.shape[0], count):
            layers = slice(start, min(start + count, self.shape[0]))
            raw = np.asarray(self.volume.intensity[layers, :, :], dtype=np.float64)
            seen = np.isfinite(raw)
            yield layers, np.where(seen, raw, 0.0), seen.astype(np.float64)
            self.report((number + layers.stop / self.shape[0]) / self.passes, what)

    def begin(self) -> _State:
        """I_FF as the mean over a reciprocal cell around each node, and no order at all."""
        top, bottom = self._zeros(), self._zeros()
        for layers, intensity, seen in self.blocks(0, "form factor"):
            self._add(top, layers, intensity)
            self._add(bottom, layers, seen)
            self.measured += int(seen.sum())
        if not self.measured or not np.any(top):
            name = self.volume.source or "the volume"
            raise ValueError(f"{name}: no voxel was measured, or all are zero; check the data set and its mask")
        series = np.zeros([2 * n + 1 for n in self.orders[::-1]])
        series[tuple(n for n in self.orders[::-1])] = 1.0
        return _State(without_period(fill(*(_smooth(values, _cell_window()) for values in (top, bottom)))), series, 0.0)

    def fourier_sums(self, state: _State, number: int) -> list[_Sums]:
        """The right side and the weights of the fit of the series to I / I_FF, for each group of layers."""
        groups = [
            _Sums(np.zeros([4 * n + 1 for n in self.orders[::-1]]), np.zeros([2 * n + 1 for n in self.orders[::-1]]))
            for _ in range(min(GROUPS, self.shape[0]))
        ]
        middle = tuple(slice(n, 3 * n + 1) for n in self.orders[1::-1])
        for layers, intensity, seen in self.blocks(number, "short-range order"):
            form = self._form(state.form, layers)
            # Counts scatter by their root: I / I_FF deserves a weight of I_FF.
            weight = seen * form * self._trust(state, intensity, form, layers)
            z = waves(2 * self.orders[2], self.volume.l[layers])
            by_plane = [self._project(values) for values in (weight, weight * intensity / form)]
            by_plane[1] = by_plane[1][:, middle[0], middle[1]]
            for layer in range(weight.shape[0]):
                group = groups[(layers.start + layer) * len(groups) // self.shape[0]]
                inner = z[self.orders[2] : 3 * self.orders[2] + 1, layer]
                group.weight[:] += (z[:, layer, None, None] * by_plane[0][layer]).real
                group.value[:] += (inner[:, None, None] * by_plane[1][layer]).real
        return groups

    def fit_form(self, state: _State, number: int, *, last: bool) -> _State:
        """I_FF = sum w I I_SRO / sum w I_SRO^2 around each node, and how far the voxels scatter.

        But for the last time it is freed of what repeats with the reciprocal lattice, which belongs to the series.
        """
        top, bottom, scatter = self._zeros(), self._zeros(), []
        for layers, intensity, seen in self.blocks(number, "form factor"):
            form = self._form(state.form, layers)
            ordered = np.clip(series_on_layers(state.series, *self.axes[:2], self.volume.l[layers]), 0.02, None)
            trust = seen * self._trust(state, intensity, form, layers, ordered)
            self._add(top, layers, trust * intensity * ordered)
            self._add(bottom, layers, trust * ordered**2)
            residual = np.abs(intensity - form * ordered) / np.sqrt(form * ordered)
            scatter += [float(np.median(r[s > 0])) for r, s in zip(residual, seen, strict=True) if np.any(s)]
        form = fill(top, bottom)
        return _State(form if last else without_period(form), state.series, 1.4826 * float(np.median(scatter)))

    def normalise(self, series: Floats) -> Floats:
        """Bring the mean of I_SRO over a reciprocal cell to 1, with what would be negative counted as zero."""
        grid = [next_fast_len(3 * n) for n in series.shape]
        full = np.zeros(grid)
        full[tuple(slice(0, n) for n in series.shape)] = series
        full = np.roll(full, [-((n - 1) // 2) for n in series.shape], axis=(0, 1, 2))
        values = np.fft.fftn(full).real
        return np.asarray(series / max(float(np.clip(values, 0.0, None).mean()), 1e-12))

    def order_parameters(self, series: Floats, before: Floats, sums: list[_Sums]) -> OrderParameters:
        """Alphas of a half space of lattice vectors, with their standard uncertainties.

        In quadrature: the jackknife scatter over groups of layers, and half of what the last round still changed.
        """
        middle = np.array(series.shape) // 2
        left_out = []
        if len(sums) > 1:
            for number in range(len(sums)):
                others = sums[:number] + sums[number + 1 :]
                solution = solve_series(others, self.allowed, series)
                left_out.append(solution / solution[tuple(middle)])
        alpha = series / series[tuple(middle)]
        error = np.full(series.shape, np.nan)
        if left_out:
            spread = np.stack(left_out) - np.mean(left_out, axis=0)
            moved = (alpha - before / before[tuple(middle)]) / 2
            error = np.sqrt((len(sums) - 1) / len(sums) * np.sum(spread**2, axis=0) + moved**2)
        p = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in middle), indexing="ij"), axis=-1)[..., ::-1]
        half = self.allowed & (np.arange(p[..., 0].size).reshape(series.shape) >= p[..., 0].size // 2)
        vectors = np.round(p[half] @ np.linalg.inv(self.basis).T).astype(np.int64)
        return OrderParameters(vectors, alpha[half], standard_error=error[half])

    def _project(self, values: Floats) -> NDArray[np.complex128]:
        """Sums over the pixels of each layer times exp(2 pi i p . (h, k)) to twice the order, (layers, p_k, p_h)."""
        k, h = waves(2 * self.orders[1], self.volume.k), waves(2 * self.orders[0], self.volume.h)
        return np.asarray(np.matmul(np.matmul(k, values), h.T))

    def _trust(
        self, state: _State, intensity: Floats, form: Floats, layers: slice, ordered: Floats | None = None
    ) -> Floats:
        """Weight of each voxel: 1 within the scatter of the rest, falling outside it; 1 before that is known."""
        if state.spread <= 0:
            return np.ones_like(intensity)
        if ordered is None:
            ordered = np.clip(series_on_layers(state.series, *self.axes[:2], self.volume.l[layers]), 0.02, None)
        model = form * ordered
        spread = np.hypot(state.spread * np.sqrt(model), 0.1 * model)
        far = np.abs(intensity - model) / (TRUST * spread)
        return np.asarray(1 / np.maximum(far, 1.0) ** 2)

    def _form(self, form: Floats, layers: slice) -> Floats:
        values = np.einsum("za,abc->zbc", self.hats[2][layers], h_and_k(form, self.hats[0], self.hats[1]))
        return np.asarray(np.maximum(values, 1e-3 * form.max()))

    def _add(self, total: Floats, layers: slice, values: Floats) -> None:
        """Share the voxels of a block among the nodes around them."""
        shared = np.matmul(np.matmul(self.hats[1].T, values), self.hats[0])
        total += np.einsum("za,zbc->abc", self.hats[2][layers], shared)

    def _zeros(self) -> Floats:
        return np.zeros([nodes.size for nodes in self.nodes[::-1]])


def solve_series(sums: list[_Sums], allowed: NDArray[np.bool_], start: Floats, tolerance: float = 1e-8) -> Floats:
    """Coefficients of the least-squares series, by conjugate gradients.

    The normal matrix acts on coefficients with c_p = c_-p as a convolution with the Fourier sums of the weights.
    """
    weight = np.sum([s.weight for s in sums], axis=0)
    value = np.sum([s.value for s in sums], axis=0)
    size = [next_fast_len(n + m - 1, real=True) for n, m in zip(weight.shape, start.shape, strict=True)]
    transform = rfftn(weight, size)
    inside = tuple(slice(m - 1, 2 * m - 1) for m in start.shape)
    centre = tuple(n // 2 for n in weight.shape)
    mean = float(weight[centre])
    p = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in start.shape), indexing="ij"))
    penalty = RIDGE * mean * (np.sum(p**2, axis=0) + 1e-3)

    def act(c: Floats) -> Floats:
        convolved = irfftn(transform * rfftn(c, size), size)[inside]
        return np.asarray(np.where(allowed, convolved + penalty * c, 0.0))

    solution = np.where(allowed, start, 0.0)
    residual = np.where(allowed, value, 0.0) - act(solution)
    direction, power = residual.copy(), float(np.sum(residual**2))
    goal = tolerance**2 * float(np.sum(value**2))
    for _ in range(200):
        if power <= goal:
            break
        image = act(direction)
        step = power / max(float(np.sum(direction * image)), 1e-300)
        solution += step * direction
        residual -= step * image
        new_power = float(np.sum(residual**2))
        direction = residual + new_power / power * direction
        power = new_power
    return solution


def fill(top: Floats, bottom: Floats) -> Floats:
    """The ratio of two sums on the nodes; where little was measured, from what lies around, ever farther away."""
    full = float(np.median(bottom[bottom > 0]))
    window = np.array([1.0, 2.0, 1.0]) / 4
    share = 1.0
    while np.any(bottom < 0.5 * full) and share > 1e-9:
        share /= 10
        for _ in range(4):
            top, bottom = _smooth_up(top, window, share), _smooth_up(bottom, window, share)
    return np.asarray(np.maximum(top, 0.0) / np.maximum(bottom, 1e-300))


def without_period(form: Floats) -> Floats:
    """I_FF smoothed so that nothing of the period of the reciprocal lattice is left, and slow curvature stays.

    2 B - B B, B the mean over one cell: it takes away all harmonics of the lattice, and changes a cubic by nothing.
    """
    window = _cell_window()

    def mean(values: Floats) -> Floats:
        # Beyond its edges the form factor goes on as it ends, with its slope.
        padded = np.pad(values, window.size // 2, mode="reflect", reflect_type="odd")
        return _smooth(padded, window)[(slice(window.size // 2, -(window.size // 2)),) * 3]

    once = mean(form)
    return np.asarray(np.clip(2 * once - mean(once), 0.0, None))


def _cell_window() -> Floats:
    """Trapezoidal weights of the mean over one reciprocal cell of nodes."""
    cell = round(1 / NODE_SPACING)
    return np.array([0.5, *np.ones(cell - 1), 0.5]) / cell


def _smooth_up(values: Floats, window: Floats, share: float) -> Floats:
    return values + share * _smooth(values, window)


def _smooth(values: Floats, window: Floats) -> Floats:
    for axis in range(3):
        values = convolve1d(values, window, axis=axis, mode="nearest")
    return values


def whole_basis(volume: Volume) -> Floats:
    """The directions of the axes as whole numbers, (3, 3); raises ValueError where they are not."""
    basis = np.asarray(volume.basis, dtype=np.float64)
    if np.any(np.abs(basis - np.round(basis)) > 1e-6):
        raise ValueError(
            f"{volume.source or 'the volume'}: its axes run along {basis.round(3).tolist()}, which are no whole "
            "directions of the reciprocal lattice; rebin it along h, k, l, or take planes with --plane"
        )
    return np.round(basis)


def lattice_mask(orders: tuple[int, ...], basis: Floats) -> NDArray[np.bool_]:
    """Which p (along the axes l, k, h) are lattice vectors: p = basis v with whole v."""
    p = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in orders[::-1]), indexing="ij"), axis=-1)[..., ::-1]
    v = p @ np.linalg.inv(basis).T
    return np.asarray(np.all(np.abs(v - np.round(v)) < 1e-6, axis=-1))


def _highest_order(axis: Floats, name: str) -> int:
    if axis.size < 2 or np.ptp(axis) < 1:
        raise ValueError(
            f"the volume spans less than one reciprocal cell along {name} ({axis[0]:g} to {axis[-1]:g}); its layers "
            "can be taken apart as planes: --plane"
        )
    return int(np.clip(0.45 / (axis[1] - axis[0]), 1, HIGHEST_ORDER))


def _nodes(axis: Floats) -> Floats:
    count = int(np.ceil(np.ptp(axis) / NODE_SPACING)) + 1
    return np.asarray(np.linspace(axis[0], axis[-1], max(count, 2)))
