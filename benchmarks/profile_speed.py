"""The profile engine: how exact and how fast, beside the fold on a stretched axis that made samples before.

python benchmarks/profile_speed.py [--cache reflections.h5] [--count 150]

Without a cache the structures are drawn at random. Every peak list of `--count` samples of the recipes
paper, measured-1 and measured is summed by both; the direct sum is every peak at every angle in double precision. CPU
times of one run.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import scipy.fft
import torch

from unscatter.powder.pattern.columns import profile_columns
from unscatter.powder.pattern.peaks import Peaks
from unscatter.powder.pattern.profile import FADE, lorentzian_norm, sum_peaks
from unscatter.powder.samples import draw
from unscatter.powder.samples.draw import CachedCrystals, RandomCrystals, draw_samples, read_recipe

NODES, SAMPLES, FINER, BLOCK = 512, 4, 4, 256


def stretched_sum(peaks: Peaks, two_theta: np.ndarray, cut: float) -> np.ndarray:
    """The way before: one convolution on an axis where all peaks are equally wide, for lines of one width an angle."""
    order = np.argsort(peaks.position)
    nodes = np.linspace(two_theta[0] - 5, two_theta[-1] + 5, NODES)
    fwhm, eta = (np.interp(nodes, peaks.position[order], column[order]) for column in (peaks.fwhm, peaks.eta))
    steps = (nodes[1] - nodes[0]) / 2 * (1 / fwhm[1:] + 1 / fwhm[:-1])
    coordinate = np.concatenate([[0.0], np.cumsum(steps)])
    inside = (peaks.position > nodes[0]) & (peaks.position < nodes[-1])
    position, area = peaks.position[inside], peaks.area[inside]
    area, share = area / np.interp(position, nodes, fwhm), np.interp(position, nodes, eta)
    size = math.ceil((coordinate[-1] + 2 * cut) * SAMPLES / BLOCK) * BLOCK
    place = (np.interp(position, nodes, coordinate) + cut) * SAMPLES
    below = place.astype(np.int64)
    t = place - below
    u = 1 - t
    spline = np.stack([u * u * u, 4 - 3 * t * t * (2 - t), 4 - 3 * u * u * (2 - u), t * t * t]) / 6
    index = (below + np.array([[-1], [0], [1], [2]])).ravel()
    spread = [np.bincount(index, (w * spline).ravel(), size) for w in (area * (1 - share), area * share)]
    spectrum = sum(scipy.fft.rfft(s) * k for s, k in zip(spread, kernels(size, cut), strict=True))
    fine = scipy.fft.irfft(spectrum, n=FINER * size) * FINER
    wanted = (np.interp(two_theta, nodes, coordinate) + cut) * (SAMPLES * FINER)
    below = wanted.astype(np.int64)
    return fine[below] * (1 - (wanted - below)) + fine[below + 1] * (wanted - below)


KERNELS: dict[tuple[int, float], tuple[np.ndarray, np.ndarray]] = {}


def kernels(size: int, cut: float) -> tuple[np.ndarray, np.ndarray]:
    if (size, cut) not in KERNELS:
        v = 2 * np.minimum(np.arange(size), size - np.arange(size)) / SAMPLES
        gaussian = 2 * math.sqrt(math.log(2) / math.pi) * np.exp(-math.log(2) * v**2)
        spline = np.sinc(np.fft.rfftfreq(size)) ** 4
        shapes = (np.where(v <= 2 * cut, shape, 0.0) for shape in (gaussian, lorentzian(v, cut)))
        first, second = (np.fft.rfft(shape).real / spline for shape in shapes)
        KERNELS[size, cut] = first, second
    return KERNELS[size, cut]


def lorentzian(v: np.ndarray, cut: float) -> np.ndarray:
    edge = 2 * cut
    s = np.clip((np.abs(v) - FADE * edge) / ((1 - FADE) * edge), 0, 1)
    return 2 / lorentzian_norm(cut) * (1 - s**2) ** 2 / (1 + v**2)


def direct_sum(peaks: Peaks, two_theta: np.ndarray, cut: float) -> np.ndarray:
    total = np.zeros(len(two_theta))
    for position, area, fwhm, eta in zip(peaks.position, peaks.area, peaks.fwhm, peaks.eta, strict=True):
        v = 2 * (two_theta - position) / fwhm
        gaussian = 2 * math.sqrt(math.log(2) / math.pi) * np.exp(-math.log(2) * v**2)
        peak = area * (eta * lorentzian(v, cut) + (1 - eta) * gaussian) / fwhm
        total += np.where(np.abs(v) <= 2 * cut, peak, 0.0)
    return total


def best(work: Callable[[], object], repeats: int = 5) -> float:
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def catch_sums(recipe: str, crystals: Any, count: int) -> list[tuple[Peaks, np.ndarray, float]]:
    """Peaks, angles and cut of every sum that drawing samples makes."""
    caught: list[tuple[Peaks, np.ndarray, float]] = []

    def watched(peaks: Peaks, two_theta: np.ndarray, cut: float) -> Any:
        if len(peaks):
            caught.append((peaks, two_theta, cut))
        return sum_peaks(peaks, two_theta, cut=cut)

    rows = np.random.default_rng(0).integers(len(crystals), size=count)
    with mock.patch.object(draw, "sum_peaks", watched):
        draw_samples(read_recipe(recipe), crystals, rows, 0, 0)
    return caught


def as_tensors(peaks: Peaks) -> Peaks:
    columns = (torch.tensor(c) for c in (peaks.position, peaks.area, peaks.fwhm, peaks.eta, peaks.row))
    return Peaks(*columns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", help="reflection cache; random crystals without one")
    parser.add_argument("--count", type=int, default=150)
    options = parser.parse_args()
    crystals = CachedCrystals([options.cache]) if options.cache else RandomCrystals()
    for recipe in ("paper", "measured-1", "measured"):
        sums = catch_sums(recipe, crystals, options.count)
        ours = best(lambda s=sums: [sum_peaks(p, x, cut=c) for p, x, c in s]) / len(sums)
        before = best(lambda s=sums: [stretched_sum(p, x, c) for p, x, c in s]) / len(sums)
        error, old = 0.0, 0.0
        for peaks, two_theta, cut in sums[:: max(1, len(sums) // 20)]:
            slow = direct_sum(peaks, two_theta, cut)
            error = max(error, float(np.max(np.abs(sum_peaks(peaks, two_theta, cut=cut)[0] - slow)) / slow.max()))
            old = max(old, float(np.max(np.abs(stretched_sum(peaks, two_theta, cut) - slow)) / slow.max()))
        print(
            f"{recipe:10}  {np.mean([len(p) for p, _, _ in sums]):6.0f} peaks: {1e3 * ours:.3f} ms, "
            f"stretched axis {1e3 * before:.3f} ms (x {before / ours:.1f}); off the direct sum by at most "
            f"{error:.0e} of the maximum, stretched axis {old:.0e}"
        )
    tensors = [(as_tensors(p), x, c) for p, x, c in sums[:20]]
    slow = best(lambda: [sum_peaks(p, x, cut=c) for p, x, c in tensors], 2) / len(tensors)
    print(f"torch, one thread, {recipe}: {1e3 * slow:.1f} ms a pattern")
    x, position = np.arange(5.0, 120.0, 0.02), np.linspace(8, 118, 200)
    beam = {"axial": (0.02, 0.02), "wavelengths": (1.5406, 1.5444), "weights": (1.0, 0.5), "derivatives": True}
    plain = best(lambda: profile_columns(x, position, 0.1, 0.5, derivatives=True), 20)
    whole = best(lambda: profile_columns(x, position, 0.1, 0.5, **beam), 20)
    print(f"200 columns with derivatives: {1e3 * plain:.2f} ms; with doublet and asymmetry {1e3 * whole:.2f} ms")


if __name__ == "__main__":
    main()
