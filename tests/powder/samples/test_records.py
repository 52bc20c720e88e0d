"""Records: what is kept exactly, what to 1.9 %, and what is dropped."""

import numpy as np
import pytest

from unscatter.powder.samples.records import FAINTEST, merge_lines, pack_lines, unpack_lines


def lines(count, beams=2, seed=0):
    rng = np.random.default_rng(seed)
    hkl = np.unique(rng.integers(-40, 41, (count, 3)), axis=0)
    return rng.permutation(hkl), np.exp(rng.uniform(np.log(1e-6), 0, (beams, len(hkl)))) * 1e3


def sorted_by_hkl(hkl, strength):
    order = np.lexsort(hkl.T)
    return hkl[order], strength[:, order]


@pytest.mark.parametrize("count", [1, 2, 50, 2000])
def test_strengths_come_back_to_2_per_cent_and_indices_exactly(count):
    hkl, strength = lines(count)
    strength[:, 0] = 2e3
    back_hkl, back = sorted_by_hkl(*unpack_lines(*pack_lines(hkl, strength)))
    kept = np.any(strength >= FAINTEST * strength.max(axis=1, keepdims=True), axis=0)
    hkl, strength = sorted_by_hkl(hkl[kept], strength[:, kept])
    np.testing.assert_array_equal(back_hkl, hkl)
    faint = strength < FAINTEST * strength.max(axis=1, keepdims=True)
    assert np.all(back[faint] == 0)
    np.testing.assert_allclose(back[~faint], strength[~faint], rtol=0.019)


def test_the_strongest_line_comes_back_exactly():
    hkl, strength = lines(30)
    _, back = unpack_lines(*pack_lines(hkl, strength))
    np.testing.assert_allclose(back.max(axis=1), strength.max(axis=1), rtol=1e-15)


def test_a_beam_without_strength_is_refused():
    with pytest.raises(ValueError, match="no line"):
        pack_lines(np.array([[1, 0, 0]]), np.array([[1.0], [0.0]]))


def test_merging_keeps_the_total_the_first_half_and_the_resolution():
    rng = np.random.default_rng(1)
    hkl = np.arange(9000).reshape(3000, 3)
    inverse_d = np.cbrt(np.sort(rng.random(3000)))
    strength = rng.exponential(1.0, (2, 3000))
    merged, sums = merge_lines(hkl, inverse_d, strength, 400)
    assert len(merged) <= 400
    np.testing.assert_array_equal(merged[:200], hkl[:200])
    np.testing.assert_allclose(sums.sum(axis=1), strength.sum(axis=1))
    moved = np.interp(merged[:, 0], hkl[:, 0], inverse_d)
    width = (inverse_d[-1] - inverse_d[200]) / 200
    # Centres of gravity of strength move by no more than the width of an interval.
    assert abs(moved @ sums[0] - inverse_d @ strength[0]) / strength[0].sum() < width


def test_few_lines_are_left_alone():
    hkl, strength = lines(20)
    merged, sums = merge_lines(hkl, np.linspace(0.1, 1, len(hkl)), strength, 100)
    assert merged is hkl
    assert sums is strength
