"""Views of a pattern: what may change does, and what tells the symmetry stays."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from unscatter.powder.pattern.channels import SIZE, network_axis, stack_channels
from unscatter.powder.samples.artefacts import add_counting_noise
from unscatter.train.powder.augmentation import Augmentation
from unscatter.train.powder.augmentation import augment as view_of

NOTHING = Augmentation(
    scale=0, zero_shift=0, width=0, texture=0, correlation=0.02, background=0, counts=(0.0, 0.0), cut=0
)
STEP = float(torch.log(torch.as_tensor(network_axis()[0] / network_axis()[1])))


USUAL = Augmentation()


def augment(pattern: Tensor, options: Augmentation = USUAL) -> Tensor:
    """The channels of a view alone."""
    return view_of(pattern, options).channels


def lines(*places: int, width: float = 3.0, first: int = 200, last: int = 3800) -> Tensor:
    """Channels (1, 3, 4096) of Gaussian lines of heights 1, 1/2, 1/3, ... measured from bin `first` to `last`."""
    x = torch.arange(SIZE)
    share = sum((torch.exp(-0.5 * ((x - place) / width) ** 2) / (k + 1) for k, place in enumerate(places)), x * 0.0)
    mask = ((x >= first) & (x < last)).float()
    return torch.stack([share * mask, share * mask, mask])[None]


def place(channel: Tensor, near: int, reach: int = 60) -> float:
    """Centre of gravity of what is around a bin."""
    window = channel[near - reach : near + reach + 1]
    return near - reach + float((window * torch.arange(len(window))).sum() / window.sum())


def test_no_change_leaves_intensity_and_mask() -> None:
    pattern = lines(1000, 2000, 2600)
    view = augment(pattern, NOTHING)
    torch.testing.assert_close(view[:, 0], pattern[:, 0])
    torch.testing.assert_close(view[:, 2], pattern[:, 2])


def test_a_view_has_the_channels_of_the_network() -> None:
    torch.manual_seed(0)
    view = augment(lines(1000, 2000, 2600).expand(16, -1, -1))
    assert view.shape == (16, 3, SIZE)
    assert view.isfinite().all()
    assert view.min() >= 0
    assert view.max() <= 1 + 1e-6
    torch.testing.assert_close(view[:, :2].amax(-1), torch.ones(16, 2))
    assert set(view[:, 2].unique().tolist()) == {0.0, 1.0}
    assert not view[:, :2].mul(1 - view[:, 2:]).any()


def test_scale_moves_all_lines_alike() -> None:
    torch.manual_seed(1)
    pattern = lines(1000, 2000, 3000)
    for _ in range(5):
        view = augment(pattern, replace(NOTHING, scale=0.01))[0, 0]
        moves = [place(view, near) - near for near in (1000, 2000, 3000)]
        assert moves == pytest.approx([moves[0]] * 3, abs=0.05)
    assert abs(moves[0]) > 0.1


def test_a_wrong_zero_moves_lines_in_proportion_to_d() -> None:
    torch.manual_seed(2)
    near = (1000, 1800, 2600)
    view = augment(lines(*near), replace(NOTHING, zero_shift=3e-3))[0, 0]
    moves = torch.tensor([place(view, n) - n for n in near])
    d = torch.as_tensor(network_axis()[list(near)].copy()).float()
    torch.testing.assert_close(moves / moves[0], d / d[0], atol=0.02, rtol=0.02)


def test_broadening_adds_variances_and_keeps_areas() -> None:
    torch.manual_seed(3)
    pattern = lines(2000, width=3.0).expand(200, -1, -1)
    view = augment(pattern, replace(NOTHING, width=4 * STEP))[:, 0]
    x = torch.arange(SIZE) - 2000.0
    area = view.sum(-1)
    variance = (view * x**2).sum(-1) / area
    # Widths are drawn evenly up to four bins, so variances of 9 grow by up to 16, on the mean by a third of that.
    assert variance.min() >= 9 - 0.05
    assert variance.max() <= 25 + 0.3
    assert variance.mean().item() == pytest.approx(9 + 16 / 3, abs=1.0)
    # Height one and the same shape: the area goes with the width.
    torch.testing.assert_close(area / variance.sqrt(), area[:1].expand(200) / variance[:1].sqrt(), rtol=0.02, atol=0)


def test_texture_changes_heights_and_neither_places_nor_what_lies_under_the_lines() -> None:
    torch.manual_seed(4)
    pattern = lines(1000, 2000, 3000).expand(300, -1, -1).clone()
    pattern[:, 0] = 0.8 * pattern[:, 0] + 0.2 * pattern[:, 2]
    view = augment(pattern, replace(NOTHING, texture=0.3))
    between = view[:, 0, 1400:1600]
    torch.testing.assert_close(between, between[:, :1].expand_as(between), rtol=1e-3, atol=1e-3)
    ratio = ((view[:, 0, 2000] - between[:, 0]) / (view[:, 0, 1000] - between[:, 0])).log()
    # Two independent changes of 0.3 each, that of each knot or between two knots.
    assert ratio.std().item() == pytest.approx(0.3 * 2**0.5, rel=0.3)
    assert ratio.median().item() == pytest.approx(torch.tensor(0.5).log().item(), abs=0.1)


def test_counts_set_the_noise() -> None:
    torch.manual_seed(5)
    pattern = lines(1000).expand(50, -1, -1).clone()
    pattern[:, 0, 1500:3500] = 0.5
    view = augment(pattern, replace(NOTHING, counts=(400.0, 400.0)))[:, 0, 1500:3500]
    # 200 of 400 counts; the highest point, by which all is divided, is a little above 400.
    assert (view.std(-1) / view.mean(-1)).mean().item() == pytest.approx(200**-0.5, rel=0.05)


def test_cutting_takes_only_ends_and_at_most_its_share() -> None:
    torch.manual_seed(6)
    mask = augment(lines(2000).expand(100, -1, -1), replace(NOTHING, cut=0.2))[:, 2]
    steps = mask.diff(dim=-1)
    assert ((steps == 1).sum(-1) == 1).all()
    assert ((steps == -1).sum(-1) == 1).all()
    assert mask.sum(-1).min() >= 0.6 * 3600 - 2
    assert mask[:, 200:920].sum(-1).std() > 50


def test_a_view_that_would_show_nothing_is_not_taken() -> None:
    torch.manual_seed(7)
    # The only line stands in the part that may be cut off.
    pattern = lines(220).expand(200, -1, -1)
    view = augment(pattern, replace(NOTHING, cut=0.4))
    assert (view[:, 0].amax(-1) > 0.99).all()


def test_views_differ_and_follow_the_seed() -> None:
    pattern = lines(1000, 2000).expand(2, -1, -1)
    torch.manual_seed(8)
    first, second = augment(pattern)
    assert (first - second).abs().max() > 0.05
    torch.manual_seed(8)
    torch.testing.assert_close(augment(pattern)[0], first, rtol=0, atol=0)


def test_a_view_tells_how_far_it_was_moved() -> None:
    torch.manual_seed(9)
    pattern = lines(1000, 2000, 3000)
    view = view_of(pattern, replace(NOTHING, scale=0.01))
    moved = place(view.channels[0, 0], 2000) - 2000
    # Towards smaller d, by so many steps.
    assert moved * STEP == pytest.approx(float(view.shift), abs=0.05 * STEP)


@pytest.mark.parametrize("counts", [300.0, 1e4])
def test_a_view_is_described_as_what_was_measured_with_so_many_counts(counts: float) -> None:
    torch.manual_seed(10)
    share = 0.8 * lines(1000, 1700, 2300, 2900)[0, 0] + 0.2
    mask = torch.ones(1, SIZE)
    noisy = add_counting_noise(share[None] * counts, torch.randn(1, SIZE)) / counts
    # As network_channels finds the noise: that of the background, where most points are.
    expected = stack_channels(noisy, mask, torch.full((1, 1), (0.2 / counts) ** 0.5))
    clean = stack_channels(share[None], mask, torch.zeros(1, 1))
    view = augment(clean, replace(NOTHING, counts=(counts, counts)))
    # Other chance, the same height of what noise leaves of the background.
    assert view[:, 1].mean().item() == pytest.approx(expected[:, 1].mean().item(), rel=0.1)
    again = augment(expected, replace(NOTHING, counts=(1e8, 1e8)))
    assert (again[:, 1] - expected[:, 1]).abs().mean() < 0.03
