"""The picture of a ranking shows what it must."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from unscatter.io.picture import save_figure
from unscatter.powder.classify import classify
from unscatter.powder.demonstration import simulate_corundum
from unscatter.powder.plot import plot_ranking
from unscatter.types import Pattern, Ranking


@pytest.fixture(scope="module")
def ranking(small_classifier: str) -> Ranking:
    return classify(simulate_corundum(), small_classifier)


def words(ranking: Ranking) -> str:
    figure = plot_ranking(ranking)
    texts = [*figure.texts, *(text for panel in figure.axes for text in panel.texts)]
    labels = [label for panel in figure.axes for label in panel.get_yticklabels()]
    legends = [text for panel in figure.axes if panel.get_legend() for text in panel.get_legend().get_texts()]
    return " ".join(text.get_text() for text in [*texts, *labels, *legends, figure._suptitle])  # type: ignore[attr-defined]


def test_it_shows_pattern_background_bars_and_assumptions(ranking: Ranking) -> None:
    shown = words(ranking)
    for one in (*ranking.top(5), *ranking.top(5, "Bravais lattice")):
        assert one.name in shown
        assert f"{100 * one.probability:.1f} %" in shown
    for word in ("simulated", "estimated background (not subtracted)", "not used by the network", "assumed", "1.5403"):
        assert word in shown


def test_the_curves_are_the_data(ranking: Ranking) -> None:
    panel = plot_ranking(ranking).axes[0]
    x, y = panel.lines[0].get_data()
    np.testing.assert_array_equal(x, ranking.pattern.two_theta)
    np.testing.assert_array_equal(y, ranking.pattern.intensity)
    low, high = panel.get_ylim()
    assert low == 0
    assert ranking.pattern.intensity.max() < high < 1.2 * ranking.pattern.intensity.max()


def test_a_subtracted_background_is_said(small_classifier: str) -> None:
    assert "background (subtracted)" in words(classify(simulate_corundum(), small_classifier, subtract_background=True))


def test_a_measured_pattern_is_not_called_simulated(ranking: Ranking) -> None:
    pattern = replace(ranking.pattern, simulated=False, title="corundum")
    assert "simulated" not in words(replace(ranking, pattern=pattern))


@pytest.mark.parametrize(("wavelength", "last"), [(0.413, 26.0), (1.5406, 179.9), (2.5, 90.0)])
def test_any_wavelength_can_be_drawn(small_classifier: str, tmp_path: Path, wavelength: float, last: float) -> None:
    angles = np.linspace(0.5, last, 4000)
    pattern = Pattern(angles, 50 + 10 * np.cos(angles), wavelength=wavelength)
    save_figure(plot_ranking(classify(pattern, small_classifier)), tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
