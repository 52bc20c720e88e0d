"""Lists of lines in the layouts that people write them by hand, or programs for them."""

from pathlib import Path

import numpy as np
import pytest

from unscatter.io.patterns import read_lines

INDICES = [(1, 1, 1), (2, 0, 0), (2, 2, 0), (3, 1, 1), (2, 2, 2), (4, 0, 0), (3, 3, 1), (4, 2, 0), (4, 2, 2), (5, 1, 1)]
D = np.array([5.4113 / np.sqrt(sum(i * i for i in hkl)) for hkl in INDICES])
TWO_THETA = 2 * np.degrees(np.arcsin(1.5406 / 2 / D))
HEIGHTS = np.array([100, 27, 46, 34, 6, 6, 11, 6, 9, 9.0])
STRENGTHS = ["vs", "m", "s", "m", "w", "w", "w", "w", "w", "w"]


def rows(head: str, *columns: object) -> str:
    lines = (
        " ".join(f"{v:.6g}" if isinstance(v, float) else str(v) for v in row) for row in zip(*columns, strict=True)
    )
    return "\n".join([head, *lines, ""])


BARE = {
    "positions alone": (rows("# CeO2", TWO_THETA), "two-theta"),
    "spacings alone": (rows("# CeO2", D), "d"),
    "numbered": (rows("", range(1, 11), D, HEIGHTS), "d"),
}
NAMED = {
    "ten thousand times 1/d^2": rows("10^4/d^2 I", 1e4 / D**2, HEIGHTS),
    "the same in digits": rows("10000/d2 I", 1e4 / D**2, HEIGHTS),
    "strengths in letters": rows("d I", D, STRENGTHS),
    "phases in words": rows("phase d I", ["CeO2"] * 10, D, HEIGHTS),
}


@pytest.mark.parametrize("name", BARE)
def test_lists_without_names_are_what_the_user_says(name: str, tmp_path: Path) -> None:
    text, axis = BARE[name]
    (tmp_path / "lines.txt").write_text(text)
    lines = read_lines(tmp_path / "lines.txt", axis=axis, wavelength=1.5406 if axis == "two-theta" else None)
    np.testing.assert_allclose(lines.wavelength / 2 / np.sin(np.radians(lines.two_theta / 2)), D, rtol=1e-4)
    assert np.isnan(lines.area).all() == ("alone" in name)


@pytest.mark.parametrize("name", NAMED)
def test_names_of_lists_mean_what_they_say(name: str, tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text(NAMED[name])
    lines = read_lines(tmp_path / "lines.txt")
    np.testing.assert_allclose(lines.wavelength / 2 / np.sin(np.radians(lines.two_theta / 2)), D, rtol=1e-4)
    if "letters" not in name:
        np.testing.assert_array_equal(lines.area, HEIGHTS)
