"""The picture that each alpha makes on a plane, as waves: sums over pixels come from few Fourier sums.

P_k(x, y) = Re sum_h a_hk exp(2 pi i (f_hx x + f_hy y)); where the plane holds two translations of the lattice the
frequencies are whole numbers of two, and products of waves are waves again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from unscatter.diffuse.plane.fold import PlaneLattice, plane_lattice
from unscatter.diffuse.plane.forward import Waves
from unscatter.diffuse.refine.patterson import PattersonSeries, fourier_sums, wave_powers
from unscatter.nouns.arrays import Floats
from unscatter.nouns.plane import PlaneAxes

Complexes = NDArray[np.complex128]


@dataclass(frozen=True)
class OrderPictures:
    """All pictures on one plane. frequencies: (H, 2); amplitudes: (H, n); harmonics: (H, 2), None without a lattice."""

    x: Floats
    y: Floats
    frequencies: Floats
    amplitudes: Complexes
    lattice: PlaneLattice | None
    harmonics: NDArray[np.int64] | None

    def __len__(self) -> int:
        """Return the number of pictures."""
        return int(self.amplitudes.shape[1])

    @cached_property
    def _waves(self) -> tuple[Complexes, Complexes]:
        turn = 2j * np.pi
        return (
            np.exp(turn * np.outer(self.frequencies[:, 0], self.x)),
            np.exp(turn * np.outer(self.frequencies[:, 1], self.y)),
        )

    def ordered(self, alpha: Floats) -> Floats:
        """1 + sum_k alpha_k P_k, (ny, nx)."""
        return np.asarray(1 + self._picture(self.amplitudes @ alpha))

    def __getitem__(self, number: int) -> Floats:
        """One picture, (ny, nx)."""
        return self._picture(self.amplitudes[:, number])

    def _picture(self, amplitude: Complexes) -> Floats:
        along, across = self._waves
        scaled = across * amplitude[:, None]
        return np.asarray(scaled.real.T @ along.real - scaled.imag.T @ along.imag)

    def project(self, image: Floats) -> Floats:
        """Sum over the pixels of each picture times an image, (n,)."""
        along, across = self._waves
        rows = image @ along.real.T + 1j * (image @ along.imag.T)
        return np.asarray((self.amplitudes.T @ np.sum(rows * across.T, axis=0)).real)

    def normal_matrix(self, image: Floats) -> Floats:
        """Sum over the pixels of image P_k P_l, (n, n)."""
        if self.harmonics is None or self.lattice is None:
            pictures = np.stack([self[k].ravel() for k in range(len(self))])
            return np.asarray((pictures * image.ravel()) @ pictures.T)
        top = 2 * int(np.abs(self.harmonics).max(initial=1))
        sums = fourier_sums(image, wave_powers(self.lattice.frequencies, self.x, self.y, top)).conj()
        a = self.amplitudes
        plus = sums[tuple(np.moveaxis(self.harmonics[:, None] + self.harmonics[None, :] + top, -1, 0))]
        minus = sums[tuple(np.moveaxis(self.harmonics[:, None] - self.harmonics[None, :] + top, -1, 0))]
        return np.asarray(0.5 * (a.T @ plus @ a + a.T @ minus @ a.conj()).real)

    def mixed(self, series: PattersonSeries, image: Floats) -> Floats:
        """Sum over the pixels of image B_i P_k with the basis functions of a series of I_FF, (len(series), n)."""
        if self.harmonics is None or self.lattice is None:
            return np.stack([series.project(image * self[k]) for k in range(len(self))], axis=1)
        # From the foot of the plane, where the series counts from.
        foot = np.array([self.x[0] - series.x[0], self.y[0] - series.y[0]])
        turned = self.amplitudes * np.exp(2j * np.pi * self.frequencies @ foot)[:, None]
        steps = self.harmonics * np.rint(np.diag(np.linalg.solve(series.frequencies.T, self.lattice.frequencies.T)))
        steps = steps.astype(np.int64)
        top = int(np.abs(series.harmonics).max() + np.abs(steps).max(initial=0))
        waves = wave_powers(series.frequencies, series.x, series.y, top)
        flat = fourier_sums(series.envelope * image, waves).conj().ravel()
        place = series.harmonics @ np.array([2 * top + 1, 1])
        shift = steps @ np.array([2 * top + 1, 1]) + len(flat) // 2
        return np.asarray(((series.ties.T @ flat[place[:, None] + shift]) @ turned).real)


def order_pictures(members: Sequence[Waves], axes: PlaneAxes) -> OrderPictures:
    """Gather the waves of each orbit on a plane."""
    lattice = plane_lattice(axes)
    keys: dict[tuple[int, int], int] = {}
    frequencies: list[tuple[float, float]] = []
    entries = []
    for number, waves in enumerate(members):
        for c, s, fx, fy in zip(waves.cosine, waves.sine, waves.frequency_x, waves.frequency_y, strict=True):
            key = (round(float(fx) * 1e7), round(float(fy) * 1e7))
            if key not in keys:
                keys[key] = len(frequencies)
                frequencies.append((float(fx), float(fy)))
            entries.append((keys[key], number, complex(c, -s)))
    amplitudes = np.zeros((len(frequencies), len(members)), dtype=np.complex128)
    for wave, number, value in entries:
        amplitudes[wave, number] += value
    table = np.array(frequencies).reshape(-1, 2)
    harmonics = None
    if lattice is not None:
        whole = table @ lattice.translations.T
        if np.allclose(whole, np.rint(whole), atol=1e-4):
            harmonics = np.rint(whole).astype(np.int64)
    return OrderPictures(axes.x, axes.y, table, amplitudes, lattice, harmonics)
