"""The shape of lines: what it gives to a fit is what the one profile engine draws, and its derivatives are slopes."""

import numpy as np
import pytest

from unscatter.powder.pattern.line_shape import LineShape, beam_of

X = np.arange(5.0, 120.0, 0.01)
PLACES = np.array([20.0, 47.0, 95.0])
SHAPE = LineShape((0.1, -0.05, 0.05), (0.3, 0.001), 0.03, *beam_of(1.5406, 1.5444), size=0.02, strain=0.03, cut=20.0)


def test_lines_have_unit_area_with_doublet_asymmetry_size_and_strain():
    area = np.asarray(SHAPE.columns(PLACES, X).matrix().sum(axis=0)).ravel() * 0.01
    np.testing.assert_allclose(area, 1.0, atol=2e-3)


def test_the_second_line_of_a_doublet_has_half_the_area_and_lies_where_bragg_puts_it():
    shape = LineShape((0.0, 0.0, 2.5e-3), (0.0, 0.0), 0.0, *beam_of(1.5406, 1.5444))
    column = shape.columns(np.array([95.0]), X).matrix().toarray()[:, 0]
    second = 2 * np.degrees(np.arcsin(np.sin(np.radians(47.5)) * 1.5444 / 1.5406))
    apart = (95.0 + second) / 2 < X
    assert column[apart].sum() / column[~apart].sum() == pytest.approx(0.5, abs=1e-3)
    assert X[np.argmax(column * apart)] == pytest.approx(second, abs=0.01)


def test_lines_lean_to_low_angles_below_and_to_high_angles_above_ninety_degrees():
    leaning = LineShape((0.0, 0.0, 0.01), (0.3, 0.0), 0.05)
    columns = leaning.columns(np.array([30.0, 110.0]), X).matrix().toarray()
    middle = (X @ columns) / columns.sum(axis=0)
    assert middle[0] < 29.99
    assert middle[1] > 110.01


def test_widths_scale_together_whatever_size_and_strain_add():
    np.testing.assert_allclose(SHAPE.scaled(1.3).fwhm(PLACES), 1.3 * SHAPE.fwhm(PLACES), rtol=1e-12)
    np.testing.assert_allclose(SHAPE.scaled(1.3).law(PLACES)[1], SHAPE.law(PLACES)[1], rtol=1e-12)


def test_a_wider_line_differs_by_its_derivative():
    columns = SHAPE.columns(PLACES, X, derivatives=True)
    slope = columns.matrix(columns.by_fwhm) @ SHAPE.fwhm(PLACES)
    wide, narrow = (SHAPE.scaled(f).columns(PLACES, X).matrix() @ np.ones(3) for f in (1.0005, 0.9995))
    np.testing.assert_allclose((wide - narrow) / 0.001, slope, atol=2e-3 * np.abs(slope).max())
