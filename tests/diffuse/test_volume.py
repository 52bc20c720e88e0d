"""A volume is taken apart into the order and the form factor that it was made of."""

from dataclasses import replace

import numpy as np
import pytest

from unscatter.diffuse.volume import factorize_volume
from unscatter.nouns.volume import Volume

ALPHAS = {(1, 0, 0): -0.12, (0, 1, 0): -0.08, (1, 1, 0): 0.06, (0, 0, 1): 0.10, (1, 0, 1): -0.05, (2, 0, 0): 0.03}


def make_volume(counts: float | None = None, gaps: float = 0.0, seed: int = 0, points: int = 61) -> Volume:
    axis = np.linspace(-3, 3, points)
    h, k, l = axis[None, None, :], axis[None, :, None], axis[:, None, None]  # noqa: E741
    order = 1 + sum(2 * a * np.cos(2 * np.pi * (h * v[0] + k * v[1] + l * v[2])) for v, a in ALPHAS.items())
    form = 100 * np.exp(-0.05 * (h**2 + k**2 + l**2)) * (1 + 0.3 * np.cos(0.9 * h) * np.cos(0.7 * l))
    intensity = form * order
    rng = np.random.default_rng(seed)
    if counts is not None:
        scale = counts / intensity.mean()
        intensity = rng.poisson(intensity * scale) / scale
    if gaps:
        intensity = np.where(rng.random(axis.size) < gaps, np.nan, intensity)
    return Volume(intensity, axis, axis, axis)


def found(components) -> dict[tuple[int, int, int], tuple[float, float]]:
    order = components.order
    values = zip(order.vectors.tolist(), order.alpha, order.standard_error, strict=True)
    both = {tuple(v): (a, s) for v, a, s in values}
    return both | {tuple(-x for x in v): value for v, value in both.items()}


def test_alphas_put_in_come_out_of_a_volume_without_noise() -> None:
    alphas = found(factorize_volume(make_volume()))
    for vector, alpha in ALPHAS.items():
        assert alphas[vector][0] == pytest.approx(alpha, abs=0.004)
    assert abs(alphas[(0, 2, 1)][0]) < 0.004
    assert alphas[(0, 0, 0)][0] == pytest.approx(1.0)


def test_few_counts_and_gaps_leave_alphas_within_their_uncertainties() -> None:
    pulls = []
    for seed in range(3):
        alphas = found(factorize_volume(make_volume(counts=2.0, gaps=0.2, seed=seed)))
        pulls += [(alphas[v][0] - a) / max(alphas[v][1], 1e-9) for v, a in ALPHAS.items()]
    assert np.sqrt(np.mean(np.square(pulls))) < 3
    assert np.median(np.abs(pulls)) < 1.5


def test_the_product_of_the_factors_is_the_volume() -> None:
    volume = make_volume()
    components = factorize_volume(volume)
    layers = slice(20, 30)
    product = components.form_factor(layers) * components.short_range_order(layers)
    error = np.abs(product - volume.intensity[layers]).sum() / volume.intensity[layers].sum()
    assert error < 0.02


def test_order_repeats_with_the_reciprocal_lattice_and_has_mean_one() -> None:
    components = factorize_volume(make_volume(counts=20.0))
    layers = components.short_range_order(slice(0, 60))
    np.testing.assert_allclose(layers[:50], layers[10:60], atol=1e-9)
    assert layers[:10, :10, :10].mean() == pytest.approx(1.0, abs=2e-3)


def test_a_volume_on_disk_is_read_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    volume = make_volume(points=41)
    whole = factorize_volume(volume)
    largest = []

    class OnDisk:
        def __getitem__(self, where):
            block = volume.intensity[where]
            largest.append(block.size)
            return block

    monkeypatch.setattr("unscatter.diffuse.volume.BLOCK_VOXELS", 5000)
    streamed = factorize_volume(replace(volume, intensity=OnDisk()))
    assert max(largest) <= 5000
    np.testing.assert_allclose(streamed.order.alpha, whole.order.alpha, atol=1e-9)


def test_a_volume_binned_along_diagonals_gives_the_same_alphas() -> None:
    axis = np.linspace(-3, 3, 49)
    basis = np.array([[1.0, 1, 0], [1, -1, 0], [0, 0, 1]])
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    hkl = np.stack([x, y, z], axis=-1) @ basis
    order = 1 + sum(2 * a * np.cos(2 * np.pi * (hkl @ np.array(v))) for v, a in ALPHAS.items())
    form = 50 * np.exp(-0.03 * np.sum(hkl**2, axis=-1))
    volume = Volume((form * order).transpose(2, 1, 0), axis, axis, axis, basis=basis)
    alphas = found(factorize_volume(volume))
    for vector, alpha in ALPHAS.items():
        assert alphas[vector][0] == pytest.approx(alpha, abs=0.006)


def test_a_volume_thinner_than_a_cell_is_refused_with_advice() -> None:
    volume = make_volume()
    thin = replace(volume, intensity=volume.intensity[:5], l=volume.l[:5])
    with pytest.raises(ValueError, match=r"less than one reciprocal cell along l.*--plane"):
        factorize_volume(thin)


def test_a_volume_in_which_nothing_was_measured_is_refused() -> None:
    volume = make_volume()
    with pytest.raises(ValueError, match="no voxel was measured"):
        factorize_volume(replace(volume, intensity=np.full_like(volume.intensity, np.nan)))
