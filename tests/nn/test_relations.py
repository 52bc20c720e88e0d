"""Relations between lines, against lattices whose lines are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from unscatter.nn.relations import DIFFERENCES, LineRelations, _autocorrelation
from unscatter.powder.pattern.channels import SIZE, network_axis

AXIS = 1 / network_axis()  # 1/d
STEP_Q = (0.92 - 0.0016) / 2048


@pytest.fixture(scope="module")
def relations() -> LineRelations:
    return LineRelations()


def pattern(reciprocal: np.ndarray, limit: float = 0.9, width: float = 1.5) -> Tensor:
    """Channels (1, 3, 4096) of a lattice with reciprocal basis vectors as rows, all lines equally high."""
    hkl = np.stack(np.meshgrid(*[np.arange(-6, 7)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    q = np.linalg.norm(hkl @ reciprocal, axis=1)
    q = np.unique(q[(q > 1e-6) & (q < limit)].round(9))
    centre = np.log(q / AXIS[0]) / np.log(AXIS[1] / AXIS[0])
    x = np.arange(SIZE)
    lines = np.exp(-0.5 * ((x - centre[:, None]) / width) ** 2).max(axis=0)
    mask = (limit > AXIS).astype(float)
    return torch.as_tensor(np.stack([lines * mask, lines * mask, mask]), dtype=torch.float32)[None]


def lag(difference: float) -> int:
    """Place of a difference of Q among the DIFFERENCES."""
    low, high = 6.0 * STEP_Q, 2046 * STEP_Q
    return round(np.log(difference / low) / np.log(high / low) * (DIFFERENCES - 1))


def height(seen: Tensor, difference: float) -> float:
    """Largest value near a difference, less the median of all."""
    place = lag(difference)
    return float(seen[place - 2 : place + 3].max() - seen.median())


def test_squares_of_orthorhombic_axes_stand_out(relations: LineRelations) -> None:
    a, b, c = 0.131, 0.157, 0.193
    seen = relations(pattern(np.diag([a, b, c]))).differences[0]
    peaks = sorted(seen.tolist())
    for axis in (a, b, c):
        assert height(seen, axis**2) > 0.5 * (peaks[-1] - float(seen.median()))


def test_only_one_axis_of_a_monoclinic_lattice_stands_out(relations: LineRelations) -> None:
    # Reciprocal: b along y; a and c in the plane across, 75 degrees apart.
    a, b, c = 0.131, 0.157, 0.193
    turn = np.radians(75)
    seen = relations(pattern(np.array([[a, 0, 0], [0, b, 0], [c * np.cos(turn), 0, c * np.sin(turn)]]))).differences[0]
    assert height(seen, b**2) > 1.5 * height(seen, a**2)
    assert height(seen, b**2) > 1.5 * height(seen, c**2)


def test_a_larger_cell_shifts_differences_and_leaves_ratios(relations: LineRelations) -> None:
    basis = np.diag([0.16, 0.16, 0.21])
    small, large = (relations(pattern(basis * scale, limit=0.9 * scale)) for scale in (1.0, 0.9))
    shift = lag(0.16**2) - lag((0.9 * 0.16) ** 2)
    moved = torch.roll(large.differences[0], shift)[60:-60]
    correlation = torch.corrcoef(torch.stack([small.differences[0][60:-60], moved]))[0, 1]
    unmoved = torch.corrcoef(torch.stack([small.differences[0], large.differences[0]]))[0, 1]
    assert correlation > 0.6 > unmoved
    assert torch.corrcoef(torch.stack([small.ratios[0], large.ratios[0]]))[0, 1] > 0.97


def test_autocorrelation_is_the_direct_sum() -> None:
    values = torch.rand(2, 50, dtype=torch.float64)
    direct = torch.stack([(values[:, : 50 - k] * values[:, k:]).sum(-1) for k in range(30)], dim=-1)
    torch.testing.assert_close(_autocorrelation(values, 30), direct / direct[:, :1])


def test_scale_of_the_lines_does_not_matter(relations: LineRelations) -> None:
    channels = pattern(np.diag([0.16, 0.18, 0.21]))
    fainter = channels * torch.tensor([1.0, 0.2, 1.0])[:, None]
    for one, other in zip(relations(channels), relations(fainter), strict=True):
        torch.testing.assert_close(one, other, atol=2e-3, rtol=0)


def test_measured_is_the_share_of_each_stretch(relations: LineRelations) -> None:
    channels = torch.zeros(1, 3, SIZE)
    channels[0, 2, 32:128] = 1
    expected = torch.zeros(64)
    expected[0], expected[1] = 0.5, 1.0
    torch.testing.assert_close(relations(channels).measured[0], expected)


def test_an_empty_pattern_is_finite(relations: LineRelations) -> None:
    assert all(part.isfinite().all() for part in relations(torch.zeros(2, 3, SIZE)))


def test_nothing_is_learned_or_kept(relations: LineRelations) -> None:
    assert not list(relations.parameters())
    assert not relations.state_dict()
