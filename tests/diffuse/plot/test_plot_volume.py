"""The picture of a volume carries the verdict of its planes: noise alone is poor, order is not."""

from dataclasses import replace

import numpy as np
import pytest

from unscatter.diffuse.plot.volume import plot_volume
from unscatter.diffuse.suitability.volumes import assess_volume, planes_of_volume
from unscatter.diffuse.volume import factorize_volume
from unscatter.nouns.cell import Cell
from unscatter.nouns.volume import Volume
from unscatter.nouns.volume_components import VolumeComponents


def taken_apart(contrast: float) -> VolumeComponents:
    axis = np.linspace(-3, 3, 49)
    h, k, l = axis[None, None, :], axis[None, :, None], axis[:, None, None]  # noqa: E741
    waves = np.cos(2 * np.pi * h) + np.cos(2 * np.pi * k) - np.cos(2 * np.pi * (h + l))
    counts = np.random.default_rng(2).poisson(40 * np.exp(-0.05 * (h**2 + k**2 + l**2)) * (1 + contrast * waves))
    cell = Cell(8, 8.5, 9, 90, 90, 90)
    components = factorize_volume(Volume(counts.astype(np.float64), axis, axis, axis, cell, source="made.h5"))
    return replace(components, findings=assess_volume(components))


@pytest.mark.parametrize(("contrast", "verdict"), [(0.0, "poor"), (0.25, "good")])
def test_the_signal_is_poor_in_noise_alone_and_good_in_order(contrast: float, verdict: str) -> None:
    components = taken_apart(contrast)
    assert components.findings["signal"].verdict == verdict
    figure = plot_volume(components)
    words = " ".join(text.get_text() for text in figure.texts)
    assert f"suitability: {components.findings.verdict}" in words
    assert "made.h5" in figure.get_suptitle()
    assert ("signal poor" in words) == (verdict == "poor")


def test_the_planes_are_cuts_of_the_volume() -> None:
    components = taken_apart(0.25)
    layer, upright = planes_of_volume(components)
    assert layer.plane.axes is not None
    assert layer.plane.axes.name() == "hk0"
    assert np.array_equal(layer.plane.intensity, components.volume.intensity[24])
    assert np.array_equal(upright.plane.intensity, components.volume.intensity[:, 24])
    assert np.allclose(upright.form_factor[24], layer.form_factor[24])


def test_a_volume_whose_planes_were_not_measured_has_no_finding() -> None:
    components = taken_apart(0.25)
    values = np.array(components.volume.intensity)
    values[24], values[:, 24] = np.nan, np.nan
    assert len(assess_volume(replace(components, volume=replace(components.volume, intensity=values)))) == 0
