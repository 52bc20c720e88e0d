"""Lists of lines as files."""

from pathlib import Path

import numpy as np
import pytest

from unscatter.io.patterns import read_lines
from unscatter.io.results.lattices import write_lines
from unscatter.nouns.lines import Lines


def test_a_list_of_lines_comes_back_from_its_file(tmp_path: Path) -> None:
    place = np.array([20.0, 31.5, 47.25012])
    lines = Lines(
        place, np.full(3, 0.01), np.array([10.0, 100.0, 7.5]), np.ones(3), np.full(3, 0.1), 1.5406, (10.0, 60.0),
        flags=("", "", "K-beta of 1"),
    )  # fmt: skip
    again = read_lines(write_lines(tmp_path / "a.lines", lines))
    assert again.two_theta == pytest.approx(lines.two_theta)
    assert again.area == pytest.approx(lines.area)
    assert again.fwhm == pytest.approx(lines.fwhm)
    assert again.wavelength == lines.wavelength
