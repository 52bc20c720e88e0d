"""The picture of a ranking shows what it must."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from unscatter.io.results.picture import save_figure
from unscatter.nouns.pattern import Pattern
from unscatter.nouns.ranking import Ranking
from unscatter.powder.classify.classify import classify
from unscatter.powder.demonstration import simulate_corundum
from unscatter.powder.plot.ranking import BARS, bragg_angles, plot_ranking


@pytest.fixture(scope="module")
def ranking(small_classifier: str) -> Ranking:
    return classify(simulate_corundum(), small_classifier)


def words(figure: Figure) -> str:
    """All that is written into the picture."""
    FigureCanvasAgg(figure).draw()
    return " ".join(text.get_text() for text in figure.findobj(Text)).replace("\n", " ")


def test_it_shows_pattern_background_bars_and_assumptions(ranking: Ranking) -> None:
    shown = words(plot_ranking(ranking))
    for one in (*ranking.top(5), *ranking.top(5, "Bravais lattice")):
        assert one.name in shown
        assert f"{100 * one.probability:.1f} %" in shown
    for word in ("simulated", "estimated background (not subtracted)", "not used by the network", "assumed", "1.5403"):
        assert word in shown


def test_the_line_goes_through_the_data_and_the_background_below_the_lines(ranking: Ranking) -> None:
    measured, background = plot_ranking(ranking).axes[0].lines[:2]
    np.testing.assert_array_equal(measured.get_xdata(), ranking.pattern.two_theta)
    np.testing.assert_array_equal(measured.get_ydata(), ranking.pattern.intensity)
    assert np.max(background.get_ydata()) < 0.3 * ranking.pattern.intensity.max()


def test_the_square_root_of_intensity_is_even_in_height(ranking: Ranking) -> None:
    panel = plot_ranking(ranking).axes[0]
    top = panel.get_ylim()[1]
    heights = panel.transAxes.inverted().transform(panel.transData.transform([(50, 0), (50, top / 4), (50, top)]))
    np.testing.assert_allclose(heights[:, 1], [0, 0.5, 1], atol=1e-12)


def test_a_spacing_is_marked_at_its_angle(ranking: Ranking) -> None:
    panel = plot_ranking(ranking).axes[0]
    above = panel.child_axes[0]
    for angle, label in zip(above.get_xticks(), above.get_xticklabels(), strict=True):
        # Bragg's law
        d = ranking.pattern.wavelength / (2 * np.sin(np.radians(angle / 2)))
        assert float(label.get_text()) == pytest.approx(d)
    assert len(above.get_xticks()) > 8
    assert bragg_angles(np.array([0.4]), 1.0)[0] > 180


def test_a_bar_is_as_long_as_its_probability(ranking: Ranking) -> None:
    probabilities = np.zeros(230)
    probabilities[[224, 220]] = 0.6, 0.4
    panel = plot_ranking(replace(ranking, probabilities=probabilities)).axes[1]
    from matplotlib.colors import to_rgba

    bars = [patch for patch in panel.patches if patch.get_facecolor() == to_rgba(BARS)]
    assert [bar.get_width() for bar in bars[:3]] == pytest.approx([0.6, 0.4, 0.0])
    assert panel.get_xlim() == (0, 1)


@pytest.mark.parametrize("title", ["furnace 3 at 12 K " * 40, "x" * 400, "short"])
def test_nothing_leaves_the_picture_or_lies_over_another_word(ranking: Ranking, title: str) -> None:
    figure = plot_ranking(replace(ranking, pattern=replace(ranking.pattern, title=title)))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    assert ("..." in figure.get_suptitle()) == (len(title) > 300)
    picture = np.asarray(canvas.buffer_rgba())[..., :3]
    for edge in (picture[:4], picture[-4:], picture[:, :4], picture[:, -4:]):
        assert np.all(edge == 255)
    legend = figure.axes[0].get_legend()
    assert legend is not None
    bars = [text for panel in figure.axes[1:] for text in (*panel.texts, *panel.get_yticklabels(), panel._left_title)]
    labels = [*figure.axes[0].child_axes[0].get_xticklabels(), figure.axes[0].xaxis.label, figure.axes[0].yaxis.label]
    shown = [text for text in (*figure.texts, *figure.axes[0].texts, *bars, *labels) if text.get_text()]
    boxes = [one.get_window_extent(canvas.get_renderer()) for one in (*shown, legend)]
    for k, one in enumerate(boxes):
        for other in boxes[k + 1 :]:
            assert one.x1 <= other.x0 or other.x1 <= one.x0 or one.y1 <= other.y0 or other.y1 <= one.y0


def test_a_subtracted_background_is_said(small_classifier: str) -> None:
    ranking = classify(simulate_corundum(), small_classifier, subtract_background=True)
    assert "background (subtracted)" in words(plot_ranking(ranking))


def test_a_measured_pattern_is_not_called_simulated(ranking: Ranking) -> None:
    pattern = replace(ranking.pattern, simulated=False, title="corundum")
    assert "simulated" not in words(plot_ranking(replace(ranking, pattern=pattern)))


@pytest.mark.parametrize(("wavelength", "last"), [(0.413, 26.0), (1.5406, 179.9), (2.5, 90.0)])
def test_any_wavelength_can_be_drawn(small_classifier: str, tmp_path: Path, wavelength: float, last: float) -> None:
    angles = np.linspace(0.5, last, 4000)
    pattern = Pattern(angles, 50 + 10 * np.cos(angles), wavelength=wavelength)
    save_figure(plot_ranking(classify(pattern, small_classifier, engine="none")), tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
