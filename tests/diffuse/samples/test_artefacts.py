"""Artefacts as facts: what noise, blur and background may do to an intensity."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unscatter.diffuse.samples.artefacts import (
    Background,
    add_background,
    add_blur,
    add_counting_noise,
    bragg_residue,
    debye_waller,
    draw_background,
)

X, _, Z = np.eye(3)


def a_batch(seed=0):
    """Three planes, |Q|^2 and hkl of a 10 Angstrom cell."""
    x = np.linspace(-6, 6, 64)
    q_squared = x[None, :] ** 2 + x[:, None] ** 2
    hkl = np.stack(np.broadcast_arrays(x[None, :], x[:, None], 0.0), axis=-1) * 10 / (2 * np.pi)
    intensity = np.random.default_rng(seed).gamma(2.0, 1.0, (3, 64, 64))
    return intensity, q_squared, hkl


def test_debye_waller_is_one_at_the_origin_and_falls():
    q_squared = np.linspace(0, 50, 100).reshape(10, 10)
    factor = debye_waller(q_squared, 0.02)
    assert factor[0, 0] == 1
    assert np.all(np.diff(factor.ravel()) < 0)
    assert factor[-1, -1] == pytest.approx(np.exp(-1))


@given(seed=st.integers(0, 1000))
def test_background_only_adds(seed):
    intensity, q_squared, _ = a_batch()
    spoilt = add_background(intensity, q_squared, draw_background(np.random.default_rng(seed)))
    assert np.all(spoilt >= intensity)


def test_flat_background_is_relative_to_the_mean():
    intensity, q_squared, _ = a_batch()
    spoilt = add_background(intensity, q_squared, Background(constant=0.5))
    assert spoilt.mean(axis=(-2, -1)) == pytest.approx(1.5 * intensity.mean(axis=(-2, -1)))


def test_background_depends_on_the_length_of_q_alone():
    _, q_squared, _ = a_batch()
    added = add_background(np.ones((64, 64)), q_squared, draw_background(np.random.default_rng(1)))
    assert np.allclose(added, added.T)
    assert np.allclose(added, added[::-1])


def test_bragg_residue_sits_on_integers_and_obeys_friedel():
    h = np.arange(-40, 41)
    hkl = np.stack(np.broadcast_arrays(h[None, :], h[:, None], 1.0), axis=-1).astype(float)
    heights = bragg_residue(hkl, 2.0, 0.03, seed=7)
    # Wilson: an exponential distribution has mean and standard deviation alike.
    assert heights.mean() == pytest.approx(2.0, rel=0.06)
    assert heights.std() == pytest.approx(2.0, rel=0.06)
    assert np.allclose(heights, bragg_residue(-hkl, 2.0, 0.03, seed=7))
    assert np.allclose(bragg_residue(hkl + 0.5 * X, 2.0, 0.03, seed=7), 0)
    other = bragg_residue(hkl, 2.0, 0.03, seed=8)
    assert abs(np.corrcoef(heights.ravel(), other.ravel())[0, 1]) < 0.05
    assert abs(np.corrcoef(heights[:, 1:].ravel(), heights[:, :-1].ravel())[0, 1]) < 0.05


def test_layers_between_bragg_layers_are_clean():
    _, _, hkl = a_batch()
    assert np.allclose(bragg_residue(hkl + 0.5 * Z, 2.0, 0.03, seed=0), 0)


@pytest.mark.parametrize("periodic", [True, False])
def test_blur_keeps_a_constant_plane(periodic):
    assert np.allclose(add_blur(np.full((2, 20, 30), 3.0), 1.7, periodic=periodic), 3.0)


def test_blur_spreads_a_point_into_a_gaussian_and_keeps_its_sum():
    point = np.zeros((41, 51))
    point[20, 25] = 5.0
    blurred = add_blur(point, 2.0)
    assert blurred.sum() == pytest.approx(5.0)
    offset = np.arange(41) - 20
    assert blurred.sum(axis=1) @ offset**2 / 5.0 == pytest.approx(4.0, rel=1e-6)
    assert np.allclose(add_blur(point, 0.0), point)


def test_periodic_blur_commutes_with_a_shift_and_keeps_the_sum():
    intensity, _, _ = a_batch()
    blurred = add_blur(intensity, 1.5, periodic=True)
    assert blurred.sum() == pytest.approx(intensity.sum())
    assert np.allclose(add_blur(np.roll(intensity, 9, axis=-1), 1.5, periodic=True), np.roll(blurred, 9, axis=-1))


@pytest.mark.parametrize("n", [0.1, 0.5, 1.0, 5.0, 100.0, 1e6])
def test_noise_has_the_mean_and_variance_of_poisson(n):
    normal = np.random.default_rng(0).normal(size=(1000, 1000))
    counts = add_counting_noise(np.ones((1000, 1000)), n, normal) * n
    variance = n if n >= 0.5 else 2 * n**2
    assert counts.min() >= 0
    assert counts.mean() == pytest.approx(n, abs=5 * np.sqrt(variance) / 1000)
    assert counts.var() == pytest.approx(variance, rel=0.03)


def test_noise_vanishes_for_many_counts_and_where_nothing_scatters():
    intensity, _, _ = a_batch()
    normal = np.random.default_rng(0).normal(size=intensity.shape)
    assert np.allclose(add_counting_noise(intensity, 1e12, normal), intensity, rtol=1e-3)
    assert np.all(add_counting_noise(0 * intensity, 10.0, normal) == 0)


def spoil(intensity, q_squared, normal, number):
    """Every artefact at once; number(list) makes the array of one number for each plane."""
    spoilt = intensity * debye_waller(q_squared, number([0.0, 0.01, 0.02]))
    spoilt = add_background(spoilt, q_squared, Background(constant=number([0.1, 0.2, 0.3]), air=0.4, halo=0.2))
    spoilt = add_blur(spoilt, number([0.0, 0.5, 2.0]))
    return add_counting_noise(spoilt, number([10.0, 100.0, 1000.0]), normal)


def test_numpy_and_torch_spoil_alike(torch):
    arrays = [*a_batch()[:2], np.random.default_rng(1).normal(size=(3, 64, 64))]
    expected = spoil(*arrays, np.array)
    got = spoil(*map(torch.from_numpy, arrays), lambda n: torch.tensor(n, dtype=torch.float64))
    assert np.allclose(got.numpy(), expected)


def test_single_precision_stays_single(torch):
    arrays = [a.astype(np.float32) for a in (*a_batch()[:2], np.random.default_rng(1).normal(size=(3, 64, 64)))]
    spoilt = spoil(*arrays, lambda n: np.array(n, dtype=np.float32))
    assert spoilt.dtype == np.float32
    assert spoil(*map(torch.from_numpy, arrays), torch.tensor).dtype == torch.float32


def test_a_batch_is_its_planes():
    intensity, q_squared, _ = a_batch()
    normal = np.random.default_rng(1).normal(size=intensity.shape)
    batch = spoil(intensity, q_squared, normal, np.array)
    for n in range(3):
        plane = spoil(intensity[n], q_squared, normal[n], lambda values, n=n: values[n])
        assert np.allclose(plane, batch[n])


def test_blur_and_background_are_differentiable(torch):
    intensity, q_squared, _ = map(torch.from_numpy, a_batch())
    b = torch.tensor(0.02, dtype=torch.float64, requires_grad=True)
    add_blur(intensity * debye_waller(q_squared, b), 1.0).sum().backward()
    assert b.grad < 0


def test_artefacts_do_not_import_torch():
    code = (
        "import sys, unscatter.diffuse.samples.artefacts, unscatter.diffuse.samples.scan as scan; "
        "scan.read_detectors(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
