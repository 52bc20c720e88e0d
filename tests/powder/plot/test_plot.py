"""The picture of a ranking shows what it must."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ImageColor, ImageDraw

from unscatter.io.results.picture import save_figure
from unscatter.nouns.pattern import Pattern
from unscatter.nouns.ranking import Ranking
from unscatter.powder.classify.classify import classify
from unscatter.powder.demonstration import simulate_corundum
from unscatter.powder.plot.ranking import BARS, MEASURED, PANEL, WHOLE, Frame, find_frame, plot_ranking


@pytest.fixture(scope="module")
def ranking(small_classifier: str) -> Ranking:
    return classify(simulate_corundum(), small_classifier)


def words(ranking: Ranking) -> str:
    """All that is written into the picture."""
    written = []

    def text(self: ImageDraw.ImageDraw, at: tuple[float, float], words: str, **style: Any) -> None:
        written.append(words)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ImageDraw.ImageDraw, "text", text)
        plot_ranking(ranking)
    return " ".join(written)


def test_it_shows_pattern_background_bars_and_assumptions(ranking: Ranking) -> None:
    shown = words(ranking)
    for one in (*ranking.top(5), *ranking.top(5, "Bravais lattice")):
        assert one.name in shown
        assert f"{100 * one.probability:.1f} %" in shown
    for word in ("simulated", "estimated background (not subtracted)", "not used by the network", "assumed", "1.5403"):
        assert word in shown


def test_the_line_goes_through_the_data(ranking: Ranking) -> None:
    frame, pattern = find_frame(ranking), ranking.pattern
    picture = np.asarray(plot_ranking(ranking), dtype=float)
    blue = np.linalg.norm(picture - ImageColor.getrgb(MEASURED), axis=-1) < 200  # half covered or more
    x, y = frame.across(pattern.two_theta), frame.down(pattern.intensity)
    used = pattern.intensity > 4 * np.median(pattern.intensity)  # the background is drawn over what is low
    assert used.sum() > 200
    near = [blue[round(b) - 2 : round(b) + 3, round(a) - 1 : round(a) + 2].any() for a, b in zip(x, y, strict=True)]
    assert np.mean(np.array(near)[used]) > 0.99
    far = blue[PANEL[1] + 2 : PANEL[3] - 120, PANEL[0] + 2 : round(float(frame.across(np.array(20.0))))]
    assert not far.any()  # nothing rises before the first line


def test_the_square_root_of_intensity_is_even_in_height() -> None:
    frame = Frame(0.0, 100.0, 400.0)
    np.testing.assert_allclose(frame.down(np.array([0.0, 100.0, 400.0])), [PANEL[3], sum(PANEL[1::2]) / 2, PANEL[1]])
    np.testing.assert_allclose(frame.across(np.array([0.0, 50.0, 100.0])), [PANEL[0], sum(PANEL[::2]) / 2, PANEL[2]])


def test_a_bar_is_as_long_as_its_probability(ranking: Ranking) -> None:
    probabilities = np.zeros(230)
    probabilities[[224, 220]] = 0.6, 0.4
    picture = np.asarray(plot_ranking(replace(ranking, probabilities=probabilities)))
    green = np.all(picture == ImageColor.getrgb(BARS), axis=-1)
    whole = np.all(picture == ImageColor.getrgb(WHOLE), axis=-1)
    thirds = slice(100, 480)
    for rank, p in enumerate((0.6, 0.4)):
        row = 572 + 44 * rank  # above the words
        bar = green[row, thirds].sum()
        assert bar / (bar + whole[row, thirds].sum()) == pytest.approx(p, abs=0.01)


def test_a_long_title_stays_inside_and_says_that_it_was_cut(ranking: Ranking) -> None:
    long = replace(ranking, pattern=replace(ranking.pattern, title="furnace 3 at 12 K " * 40))
    assert "..." in words(long)
    margin = np.asarray(plot_ranking(long))[:90, [*range(15), *range(-15, 0)]]
    assert np.all(margin == 255)


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
