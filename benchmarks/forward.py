"""How fast planes are simulated: python benchmarks/forward.py

I_FF, I_SRO and I_D on 256 x 256 pixels, 15 + 15 atoms, 666 vectors:
(a) NumPy on one thread, in float64 and float32, in the time of that core;
(b) the direct sum, a loop over vectors and atoms over the full plane, in the same run, and the ratio;
(c) batches with torch, where it is installed, on the GPU if there is one.
"""

# The number of threads has to be set before NumPy is imported.
# ruff: noqa: E402

from __future__ import annotations

import os

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

from unscatter.atoms import form_factors
from unscatter.diffuse.crystal.order import half_space
from unscatter.diffuse.plane.forward import (
    atom_pair,
    diffuse_scattering,
    molecular_form_factor,
    order_waves,
    scattering_plane,
    short_range_order,
    stack,
    to_namespace,
)
from unscatter.diffuse.plane.planes import axis_plane
from unscatter.nouns.arrays import Array
from unscatter.nouns.cell import Cell
from unscatter.nouns.molecule import Molecule
from unscatter.nouns.order import OrderParameters
from unscatter.nouns.plane import PlaneAxes

PIXELS = 256
#: A molecule of 15 atoms, in the proportions of an organic one.
ELEMENTS = ("C",) * 7 + ("H",) * 6 + ("N", "O")


def draw_problem(seed: int) -> tuple[Molecule, Molecule, OrderParameters, Cell, PlaneAxes]:
    """Two molecules, the order of their crystal and a plane of it."""
    rng = np.random.default_rng(seed)
    a, b = (Molecule(name, ELEMENTS, rng.normal(scale=2.0, size=(15, 3))) for name in "AB")
    vectors = half_space(5)
    alpha = np.where(np.any(vectors != 0, axis=1), rng.normal(scale=0.02, size=len(vectors)), 1.0)
    cell = Cell(*rng.uniform(6, 12, 3))
    return a, b, OrderParameters(vectors, alpha, 0.4), cell, axis_plane(cell, 2, 1.0, 7.0, PIXELS)


def simulate(problem: tuple[Any, ...], dtype: type[np.floating[Any]]) -> tuple[Array, Array, Array]:
    """The three components with NumPy, all that depends on the model included."""
    a, b, order, cell, axes = problem
    pair, plane, waves = (
        to_namespace(value, np, dtype=dtype)
        for value in (atom_pair(a, b), scattering_plane(axes, cell), order_waves(order, axes))
    )
    form = molecular_form_factor(pair, plane, order.concentration)
    ordering = short_range_order(waves, plane.x, plane.y)
    return form, ordering, diffuse_scattering(form, ordering)


def sum_directly(problem: tuple[Any, ...]) -> tuple[Array, Array, Array]:
    """The same by a loop over atoms and vectors with the full plane at each step, as is commonly written."""
    a, b, order, cell, axes = problem
    hkl = axes.hkl()
    Q = hkl @ cell.reciprocal
    length = np.linalg.norm(Q, axis=-1)
    difference = np.zeros(axes.shape, dtype=complex)
    for molecule, sign in ((a, 1), (b, -1)):
        f = {element: form_factors([element])(length)[0] for element in set(molecule.elements)}
        for element, position in zip(molecule.elements, molecule.positions, strict=True):
            difference += sign * f[element] * np.exp(1j * (Q @ position))
    form = order.concentration * (1 - order.concentration) * np.abs(difference) ** 2
    ordering = np.zeros(axes.shape)
    for vector, alpha in zip(order.vectors, order.alpha, strict=True):
        ordering += (1 + np.any(vector != 0)) * alpha * np.cos(2 * np.pi * (hkl @ vector))
    return form, ordering, form * ordering


def best_seconds(action: Callable[[], Any], repeats: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """Shortest of several runs: what the machine can do when nothing else disturbs it."""
    times = []
    for _ in range(repeats):
        start = clock()
        action()
        times.append(clock() - start)
    return min(times)


def torch_planes_per_second(dtype_name: str) -> tuple[str, int, float]:
    """Device, batch and speed of batches whose numbers are on the device already."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    # Many planes keep a GPU busy; on a CPU few of them stay in the cache.
    batch = 256 if device == "cuda" else 4
    problems = [draw_problem(seed) for seed in range(batch)]
    options = {"dtype": getattr(torch, dtype_name), "device": device}
    pair = to_namespace(stack([atom_pair(a, b) for a, b, *_ in problems]), torch, **options)
    plane = to_namespace(stack([scattering_plane(axes, cell) for *_, cell, axes in problems]), torch, **options)
    waves = to_namespace(stack([order_waves(order, axes) for *_, order, _, axes in problems]), torch, **options)
    m_a = torch.full((batch,), 0.4, **options)

    def simulate_batch() -> None:
        ordering = short_range_order(waves, plane.x, plane.y)
        diffuse_scattering(molecular_form_factor(pair, plane, m_a), ordering)
        if device == "cuda":
            torch.cuda.synchronize()

    name = torch.cuda.get_device_name() if device == "cuda" else f"CPU, {torch.get_num_threads()} thread(s)"
    simulate_batch()
    return name, batch, batch / best_seconds(simulate_batch, 10)


def main() -> None:
    problem = draw_problem(0)
    print(f"I_FF + I_SRO + I_D, {PIXELS} x {PIXELS} pixels, 15 + 15 atoms, 666 vectors")
    direct = best_seconds(lambda: sum_directly(problem), 2, time.thread_time)
    reference = sum_directly(problem)
    print(f"direct sum, one thread, float64     {1 / direct:9.2f} planes/s")
    for dtype in (np.float64, np.float32):
        seconds = best_seconds(lambda dtype=dtype: simulate(problem, dtype), 50, time.thread_time)
        pairs = zip(simulate(problem, dtype), reference, strict=True)
        error = max(float(np.max(np.abs(ours - sums)) / np.max(np.abs(sums))) for ours, sums in pairs)
        print(
            f"NumPy, one thread, {dtype.__name__:16s} {1 / seconds:9.1f} planes/s, "
            f"{direct / seconds:.0f} x the direct sum, which it meets to {error:.0e}"
        )
    if find_spec("torch") is None:
        print("torch is not installed: pip install 'unscatter[train]'")
        return
    for dtype_name in ("float64", "float32"):
        device, batch, speed = torch_planes_per_second(dtype_name)
        print(f"torch, batches of {batch}, {dtype_name:15s} {speed:9.1f} planes/s on {device}")


if __name__ == "__main__":
    main()
