"""Line plots as pixels."""

from __future__ import annotations

import numpy as np

from unscatter.train.powder.pattern_picture import INK, PAPER, RULE, draw_patterns, draw_sets


def test_a_level_is_a_line_at_its_height() -> None:
    image = draw_patterns(np.array([[0.0] * 100, [1.0] * 100, [0.5] * 100]), height=11, width=50)
    assert image.shape == (33, 50)
    rows = [np.unique(np.nonzero(plot == INK)[0]).tolist() for plot in image.reshape(3, 11, 50)]
    assert rows == [[9], [1], [5]]


def test_the_narrowest_peak_is_seen_at_full_height() -> None:
    pattern = np.zeros((1, 3041))
    pattern[0, 1234] = 1
    image = draw_patterns(pattern, height=48, width=760)
    (columns,) = np.nonzero(image[1] == INK)
    assert np.abs(columns - 1234 * 760 / 3041).max() <= 1
    assert (image[1:47, columns.max()] == INK).all()


def test_the_line_is_unbroken() -> None:
    rng = np.random.default_rng(0)
    image = draw_patterns(rng.random((1, 90)), height=40, width=90) == INK
    for left, right in zip(image.T, image.T[1:], strict=False):
        below, above = np.nonzero(left)[0], np.nonzero(right)[0]
        assert below.min() <= above.max() + 1
        assert above.min() <= below.max() + 1


def test_values_outside_are_cut_off() -> None:
    image = draw_patterns(np.array([[-3.0, 7.0, 0.2, 0.2]]), height=9, width=4)
    assert set(np.unique(image)) == {INK, PAPER}
    assert (image[[0, -1]] == PAPER).all()


def test_a_bar_parts_the_sets() -> None:
    image = draw_sets(np.zeros((2, 60)), np.ones((3, 60)), height=10, width=60)
    assert image.shape == (54, 60)
    assert (image[20:24] == np.float32(RULE)).all()
    assert image.min() >= 0
    assert image.max() <= 1
