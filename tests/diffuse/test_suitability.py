"""The suitability report: good planes pass, planes spoiled in one way are found out in that way."""

from dataclasses import replace

import numpy as np
import pytest

from unscatter.diffuse.demonstration import simulate_demonstration
from unscatter.diffuse.factorize.factorize import factorize
from unscatter.diffuse.plane.fold import PlaneLattice, plane_lattice
from unscatter.diffuse.plot.suitability import plot_suitability
from unscatter.diffuse.samples.artefacts import bragg_residue
from unscatter.diffuse.suitability import LIMITS, assess_suitability, noise_variance, smooth_form_factor
from unscatter.diffuse.suitability.periods import find_other_period
from unscatter.nouns.cell import Cell
from unscatter.nouns.components import Components
from unscatter.nouns.plane import Plane


@pytest.fixture(scope="module")
def truth():
    return simulate_demonstration(pixels=257)


def spoiled(truth: Components, extra: np.ndarray, share: float) -> Plane:
    """The demonstration plane with scattering that is no product, `share` of the mean intensity."""
    seen = truth.plane.measured
    scale = share * truth.plane.intensity[seen].mean() / np.abs(extra[seen]).mean()
    return replace(truth.plane, intensity=np.clip(truth.plane.intensity + scale * extra, 0, None))


def test_noise_of_the_true_factors_is_all_there_is(truth):
    """With the true factors the residual is counting noise, and the estimate knows nothing of the truth but that."""
    seen = truth.plane.measured
    share = np.sum(truth.residual[seen] ** 2) / noise_variance(truth)[seen].sum()
    assert share == pytest.approx(1.0, abs=0.06)
    assert assess_suitability(truth)["fit"].value < 5e-4


def test_a_good_plane_passes_every_check(truth):
    report = assess_suitability(factorize(truth.plane))
    assert report.verdict == "good", str(report)
    assert "no finding is poor" in report.brief()
    assert {finding.name for finding in report} == set(LIMITS)


def indexed(truth: Components, h: float = 1.0, k: float = 1.0) -> Components:
    """The same picture said to be of a crystal with a and b so many times as long."""
    plane, scale = truth.plane, np.array([h, k, 1.0])
    axes = replace(plane.axes, origin=plane.axes.origin * scale, u=plane.axes.u * scale, v=plane.axes.v * scale)
    a, b, *rest = plane.cell.parameters
    return replace(truth, plane=replace(plane, axes=axes, cell=Cell(a * h, b * k, *rest)))


def test_the_right_cell_is_not_doubted(truth):
    finding = assess_suitability(truth, images=False)["lattice"]
    assert finding.verdict == "good", finding
    assert finding.value < 0


@pytest.mark.parametrize(
    ("h", "k", "said"),
    [
        (2.0, 1.0, ["(2 0 0) and (0 1 0), 13.2 and 13.2 pixels", "2 times smaller"]),
        (1.0, 2.0, ["13.2 and 13.2 pixels", "2 times smaller"]),
        (0.5, 1.0, ["13.2 and 13.2 pixels", "2 times larger", "superstructure"]),
    ],
)
def test_a_cell_of_twice_or_half_an_axis_is_doubted(truth, h, k, said):
    finding = assess_suitability(indexed(truth, h, k), images=False)["lattice"]
    assert finding.verdict in ("fair", "poor"), finding
    for words in said:
        assert words in finding.sentence


def test_swapped_axes_are_doubted(truth):
    """The picture with pixels twice as high as wide, said to be the other way round."""
    values = truth.plane.intensity[:-1:2]
    axes = replace(truth.plane.axes, y=truth.plane.axes.y[:-1:2])
    lattice = plane_lattice(axes)
    swapped = PlaneLattice(lattice.translations[:, ::-1] * [[0.5, 2.0]], None)
    short = Components(Plane(values), np.ones_like(values), np.ones_like(values))
    assert find_other_period(short, axes, lattice, LIMITS["lattice"]).verdict == "good"
    finding = find_other_period(short, axes, swapped, LIMITS["lattice"])
    assert finding.verdict in ("fair", "poor"), finding
    assert "axes swapped" in finding.sentence


def test_a_plane_of_two_cells_says_nothing_of_its_lattice(truth):
    axes, values = truth.plane.axes, truth.plane.intensity[120:145, 120:145]
    part = Components(Plane(values), np.ones_like(values), np.ones_like(values))
    cut = replace(axes, x=axes.x[120:145], y=axes.y[120:145])
    finding = find_other_period(part, cut, plane_lattice(cut), LIMITS["lattice"])
    assert finding.verdict == "not tested"
    assert "a third of the plane" in finding.sentence


def test_noise_says_nothing_against_a_lattice(truth):
    noise = np.random.default_rng(3).poisson(20.0, truth.plane.intensity.shape).astype(float)
    finding = assess_suitability(replace(truth, plane=replace(truth.plane, intensity=noise)), images=False)["lattice"]
    assert finding.verdict == "good", finding
    assert "hardly stand out" in finding.sentence


def test_bragg_residue_is_found(truth):
    clean = np.nan_to_num(truth.plane.intensity)
    peaks = clean.mean() * bragg_residue(truth.plane.axes.hkl(), 4.0, 0.04, 3)
    measured = np.where(truth.plane.measured, clean + peaks, np.nan)
    report = assess_suitability(factorize(replace(truth.plane, intensity=measured)))
    assert report["bragg"].verdict != "good", str(report)
    assert report["bragg"].value > 0.1
    assert "mask" in report["bragg"].sentence
    assert "bragg" in report.brief()
    assert report["size effect"].verdict == "good"


def test_size_effect_is_found(truth):
    """I_FF sum Q . v sin(Q v): asymmetric about the nodes, growing with |Q|."""
    hkl, cell = truth.plane.axes.hkl(), truth.plane.cell
    Q = hkl @ cell.reciprocal
    waves = [(Q @ (v @ cell.direct)) * np.sin(2 * np.pi * hkl @ v) for v in np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0]])]
    report = assess_suitability(factorize(spoiled(truth, truth.form_factor * np.sum(waves, axis=0), 0.5)))
    assert report["size effect"].verdict == "poor", str(report)
    assert report["displacement"].value < report["size effect"].value / 3


def test_displacive_scattering_is_found(truth):
    hkl, cell = truth.plane.axes.hkl(), truth.plane.cell
    away = np.sum(((hkl - np.round(hkl)) @ cell.reciprocal) ** 2, axis=-1)
    squared = np.sum((hkl @ cell.reciprocal) ** 2, axis=-1)
    report = assess_suitability(factorize(spoiled(truth, squared / (away + 0.002), 0.4)))
    assert report["displacement"].verdict == "poor", str(report)
    assert "grows" in report["displacement"].sentence
    assert report["size effect"].value < report["displacement"].value / 3


def test_order_that_is_not_periodic_is_found(truth):
    """A second crystal, turned and of another lattice, that scatters as much as the first."""
    x, y = np.meshgrid(truth.plane.axes.x, truth.plane.axes.y)
    turned = 1.37 * np.exp(0.3j) * (x + 1j * y)
    waves = [np.cos(2 * np.pi * 14.12 / (2 * np.pi) * (turned * np.exp(1j * k * np.pi / 3)).real) for k in range(3)]
    second = np.clip(1 + 1.2 * np.sum(waves, axis=0), 0, None) ** 2
    report = assess_suitability(factorize(spoiled(truth, second * truth.form_factor, 1.0)))
    assert report["period"].verdict != "good", str(report)


def test_coverage_counts_what_was_not_measured(truth):
    values = truth.plane.intensity.copy()
    values[:, : values.shape[1] * 3 // 5] = np.nan
    report = assess_suitability(replace(truth, plane=replace(truth.plane, intensity=values)))
    assert report["coverage"].value == pytest.approx(1 - np.isfinite(values).mean())
    assert report["coverage"].verdict == "poor"


def test_without_a_lattice_only_signal_fit_and_coverage_are_judged(truth):
    report = assess_suitability(replace(truth, plane=Plane(truth.plane.intensity)))
    judged = {finding.name for finding in report if finding.verdict != "not tested"}
    assert judged == {"signal", "fit", "coverage"}
    assert "cell and axes" in report["period"].sentence
    assert report.rows()[2]["value"] is None
    assert plot_suitability(replace(truth, plane=Plane(truth.plane.intensity)), report).axes


def test_a_plane_between_layers_has_no_bragg_positions(truth):
    axes = replace(truth.plane.axes, origin=truth.plane.axes.origin + np.array([0, 0, 0.4]))
    report = assess_suitability(replace(truth, plane=replace(truth.plane, axes=axes)))
    assert report["bragg"].verdict == "not tested"
    assert "no Bragg position" in report["bragg"].sentence


def test_smooth_form_factor_keeps_short_distances_and_loses_long_ones(truth):
    """A wave of one cell inside a molecule passes, one of two cells does not."""
    axes = truth.plane.axes
    lattice = plane_lattice(axes)
    reach = np.abs(lattice.frequencies[:, 0]).max()
    inside = np.s_[100:-100, 100:-100]
    for cells, passed in ((0.5, 1.0), (2.0, 0.0)):
        wave = np.cos(2 * np.pi * cells * reach * axes.x)
        form = 2 + np.broadcast_to(wave, axes.shape)
        smooth = smooth_form_factor(form, axes, lattice, 1.3)
        np.testing.assert_allclose(smooth[inside] - 2, passed * (form[inside] - 2), atol=0.06)


def test_the_picture_needs_its_images(truth):
    with pytest.raises(ValueError, match="images=True"):
        plot_suitability(truth, assess_suitability(truth, images=False))
    figure = plot_suitability(truth, assess_suitability(truth))
    assert any("suitability: good" in text.get_text() for text in figure.texts)


def test_no_such_finding(truth):
    with pytest.raises(KeyError, match="there are signal, fit, period"):
        assess_suitability(truth, images=False)["colour"]


@pytest.mark.parametrize("known", [True, False])
def test_noise_alone_is_poor(truth, known):
    """White noise with a cell, without any, and with a fall-off: nothing agrees between two halves of the cells."""
    rng = np.random.default_rng(11)
    envelope = truth.form_factor.mean() * np.exp(-0.05 * np.sum(truth.plane.axes.hkl() ** 2, axis=-1) / 8)
    for level in (np.full_like(envelope, 20.0), envelope):
        noise = replace(truth.plane, intensity=np.where(truth.plane.measured, rng.poisson(level), np.nan))
        report = assess_suitability(factorize(noise if known else Plane(noise.intensity), lattice="none"), images=False)
        assert report["signal"].verdict == "poor", str(report)
        assert report.verdict == "poor"


def test_the_demonstration_is_no_noise(truth):
    report = assess_suitability(factorize(truth.plane), images=False)
    assert report["signal"].value < 1e-30
    picture = assess_suitability(factorize(Plane(truth.plane.intensity), lattice="none"), images=False)
    assert picture["signal"].verdict == "good"
