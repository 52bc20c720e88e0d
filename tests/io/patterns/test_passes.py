"""Points of a pattern in any order are one pattern, or refused with what to type."""

from pathlib import Path

import numpy as np
import pattern_writers as w
import pytest
from test_pattern_kinds import told
from test_same_pattern import read

from unscatter.io.patterns import read_pattern

X, Y = w.TWO_THETA, w.COUNTS
HALF = X.size // 2
MIXED = np.random.default_rng(0).permutation(X.size)


def rows(*parts: tuple[np.ndarray, np.ndarray], between: str = "") -> bytes:
    texts = ("".join(f"{x:.4f} {y:.9g}\n" for x, y in zip(*part, strict=True)) for part in parts)
    return ("# 2theta I\n" + between.join(texts)).encode()


SORTED = {
    "no order": rows((X[MIXED], Y[MIXED])),
    "the second range first": rows((X[HALF:], Y[HALF:]), (X[:HALF], Y[:HALF])),
    "even points, then odd ones": rows((X[::2], Y[::2]), (X[1::2], Y[1::2])),
    "ranges that share a point": rows((X[:HALF], Y[:HALF]), (X[HALF - 1 :], Y[HALF - 1 :])),
    "ranges that overlap": rows((X[: HALF + 20], Y[: HALF + 20]), (X[HALF - 20 :], Y[HALF - 20 :])),
    "the other side of the beam": rows((-X[::-1], Y[::-1])),
}


@pytest.mark.parametrize("name", SORTED)
def test_points_in_any_order_are_one_pattern(name: str, tmp_path: Path) -> None:
    pattern = read(tmp_path, SORTED[name])
    np.testing.assert_allclose(pattern.two_theta, X)
    np.testing.assert_allclose(pattern.intensity, Y)
    assert told(pattern, "sorted") or told(pattern, "averaged") or told(pattern, "the sign was left out")


@pytest.mark.parametrize("between", ["", "\n", "# pass 2\n"])
def test_passes_over_the_same_points_are_added_and_one_can_be_chosen(between: str, tmp_path: Path) -> None:
    path = tmp_path / "scan.xy"
    for second in (slice(None), slice(None, None, -1)):
        path.write_bytes(rows((X, Y), (X[second], 2 * Y[second]), between=between))
        both = read_pattern(path)
        np.testing.assert_allclose(both.intensity, 3 * Y)
        assert told(both, "each of 1200 angles occurs 2 times: their intensities were added")
        np.testing.assert_allclose(read_pattern(path, block="2").intensity, 2 * Y)


def test_uncertainties_of_passes_add_in_squares(tmp_path: Path) -> None:
    columns = np.stack([np.r_[X, X], np.r_[Y, Y], np.r_[w.SIGMA, w.SIGMA]], axis=1)
    pattern = read_pattern(columns)
    np.testing.assert_allclose(pattern.sigma, np.sqrt(2) * w.SIGMA)


def test_passes_of_noisy_counts_are_one_pattern(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    first, second = (random.poisson(Y / 20) for _ in range(2))
    np.testing.assert_array_equal(read(tmp_path, rows((X, first), (X, second))).intensity, first + second)


def test_passes_that_differ_are_refused_and_read_as_advised(tmp_path: Path) -> None:
    path = tmp_path / "scan.xy"
    path.write_bytes(rows((X, Y), (X, Y[::-1])))
    with pytest.raises(ValueError, match=r"not of one pattern.*choose one with --block 1"):
        read_pattern(path)
    np.testing.assert_array_equal(read_pattern(path, block="1").intensity, Y)
    path.write_bytes(rows((X[: HALF + 50], Y[: HALF + 50]), (X[HALF - 50 :], 3 * Y[HALF - 50 :])))
    with pytest.raises(ValueError, match="differ by 200% where they overlap"):
        read_pattern(path)


def test_a_file_of_one_pass_has_no_blocks(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="leave out --block"):
        read(tmp_path, rows((X, Y)), block="1")


# --- SPEC -------------------------------------------------------------------------------------------------------------


def spec(*scans: tuple[str, np.ndarray, np.ndarray]) -> bytes:
    text = "#F made_up\n#E 1\n\n"
    for number, (names, first, second) in enumerate(scans, 1):
        text += f"#S {number}  ascan\n#N 2\n#L {names}\n"
        text += "".join(f"{a:.9g} {b:.9g}\n" for a, b in zip(first, second, strict=True)) + "\n"
    return text.encode()


def test_of_the_scans_of_spec_those_over_two_theta_are_used(tmp_path: Path) -> None:
    rocking = np.linspace(1, 10, 60)
    pattern = read(tmp_path, spec(("Theta  det", rocking, 0 * rocking + 5), ("TwoTheta  det", X, Y)))
    np.testing.assert_allclose(pattern.two_theta, X)
    assert told(pattern, "of 2 scans of SPEC 1 are over two-theta")


def test_columns_of_each_scan_of_spec_are_its_own(tmp_path: Path) -> None:
    data = spec(("TwoTheta  det", X[:HALF], Y[:HALF]), ("det  TwoTheta", Y[HALF:], X[HALF:]))
    np.testing.assert_allclose(read(tmp_path, data).intensity, Y)


def test_repeats_of_spec_are_added_and_one_is_chosen(tmp_path: Path) -> None:
    data = spec(("TwoTheta  det", X, Y), ("TwoTheta  det", X, 2 * Y))
    np.testing.assert_allclose(read(tmp_path, data).intensity, 3 * Y)
    np.testing.assert_allclose(read(tmp_path, data, block="2").intensity, 2 * Y)
    other = spec(("TwoTheta  det", X, Y), ("TwoTheta  det", X, Y[::-1]))
    with pytest.raises(ValueError, match=r"no repeats of one.*--block 1"):
        read(tmp_path, other)


def test_a_file_of_spec_without_a_pattern_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="none of the 2 scans of SPEC is a pattern"):
        read(tmp_path, spec(("Temperature  det", X, Y), ("Temperature  det", X, Y)))
