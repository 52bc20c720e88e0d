"""Counts below a header that names, or lists, start, step and stop."""

from pathlib import Path

import numpy as np
import pattern_writers as w
import pytest
from test_same_pattern import read

X, Y = w.TWO_THETA, w.COUNTS
TABLE = "\n".join(" ".join(f"{y:g}" for y in Y[i : i + 10]) for i in range(0, Y.size, 10)) + "\n"
COLUMN = "\n".join(f"{y:g}" for y in Y) + "\n"
RIGAKU = (
    "*TYPE = Raw\n*SCAN_AXIS = 2theta/theta\n*START = 20.000000\n*STOP = 79.950000\n*STEP = 0.050000\n"
    "*WAVE_LENGTH1 = 1.540600\n*WAVE_LENGTH2 = 1.544430\n*COUNT = 1200\n"
    + "\n".join(",".join(f"{y:.2f}" for y in Y[i : i + 4]) for i in range(0, Y.size, 4))
    + "\n*END\n"
)
WRITTEN = {
    "start step stop": "20 0.05 79.95\n" + TABLE,
    "start stop step": "20 79.95 0.05\n" + TABLE,
    "start step count": "20 0.05 1200\n" + TABLE,
    "by name": "START=20.0 STEP=0.05 STOP=79.95\n" + TABLE,
    "one column": "# start 20 step 0.05\n" + COLUMN,
    "Rigaku": RIGAKU,
}


@pytest.mark.parametrize("name", WRITTEN)
def test_counts_stand_on_the_grid_of_the_header(name: str, tmp_path: Path) -> None:
    pattern = read(tmp_path, WRITTEN[name].encode())
    np.testing.assert_allclose(pattern.two_theta, X)
    np.testing.assert_array_equal(pattern.intensity, Y)
    if name == "Rigaku":
        assert (pattern.wavelength, pattern.second_wavelength) == (1.5406, 1.54443)


def test_a_header_that_names_a_grid_above_columns_does_not_make_counts_of_angles(tmp_path: Path) -> None:
    columns = "".join(f"{x:.2f} {y:g}\n" for x, y in zip(X, Y, strict=True))
    pattern = read(tmp_path, ("# start = 20 step = 0.05 stop = 79.95\n# 2theta I\n" + columns).encode())
    np.testing.assert_allclose(pattern.two_theta, X)
    np.testing.assert_array_equal(pattern.intensity, Y)


def test_a_scan_over_another_axis_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="scan over Omega, not over two-theta"):
        read(tmp_path, RIGAKU.replace("2theta/theta", "Omega").encode())
