"""The classifier of patterns: its size, what it sees, and that ONNX Runtime gives the same numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from unscatter.nn.convnext1d import WIDE, ConvNext1d, ConvNext1dConfig

torch.set_num_threads(1)

SMALL = ConvNext1dConfig(
    size=256, stem_kernels=(5, 17), channels=(8, 16, 16), blocks=(1, 1, 1), layers=1, heads=4, hidden=32
)


@pytest.fixture(scope="module")
def shipped() -> ConvNext1d:
    torch.manual_seed(0)
    return wake(ConvNext1d().eval())


@pytest.fixture
def small() -> ConvNext1d:
    torch.manual_seed(0)
    return wake(ConvNext1d(SMALL).eval())


def wake(network: ConvNext1d) -> ConvNext1d:
    """Branches that start at zero do nothing yet: let them do something."""
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv1d) and not module.weight.any():
            nn.init.normal_(module.weight, std=0.05)
    return network


def channels(peaks: Tensor, heights: Tensor, size: int) -> Tensor:
    """Pattern of Gaussian peaks as scaled intensity, its square root, and all measured."""
    distance = torch.arange(size) - peaks[:, None]
    pattern = (heights[:, None] * torch.exp(-0.5 * (distance / 2.5) ** 2)).sum(0)
    pattern = pattern / pattern.max()
    return torch.stack([pattern, pattern.sqrt(), torch.ones(size)])[None]


def change(network: ConvNext1d, before: Tensor, after: Tensor) -> float:
    """Largest change of a logit in units of the spread of the logits."""
    with torch.no_grad():
        a, b = network(before).logits, network(after).logits
    return float((b - a).abs().max() / a.std())


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def linear(before: int, after: int) -> int:
    return before * after + after


def test_parameters_by_hand(shipped: ConvNext1d) -> None:
    def block(width: int) -> int:
        return width * 9 + width + 2 * width + linear(width, 2 * width) + linear(2 * width, width)

    def attention(width: int) -> int:
        return 4 * linear(width, width)

    stem = 3 * 16 * (5 + 33) + 2 * 16
    levels = block(32) + 64 + linear(4 * 32, 96) + block(96) + 192 + linear(4 * 96, 160) + block(160)
    layer = 320 + attention(160) + 320 + linear(160, 320) + linear(320, 160)
    pool = 320 + 4 * 160 + attention(160)
    heads = 2 * 4 * 160 + linear(4 * 160, 512) + linear(512, 230) + linear(512, 7)
    assert count(shipped) == stem + levels + 64 * 160 + 2 * layer + pool + heads == 1_202_189


@pytest.mark.parametrize("config", [ConvNext1dConfig(), WIDE])
def test_weights_fit_into_16_megabytes(config: ConvNext1dConfig) -> None:
    # Four bytes a weight, and what ONNX adds.
    assert 4 * count(ConvNext1d(config)) < 15e6


def test_work_of_one_pattern(shipped: ConvNext1d) -> None:
    with FlopCounterMode(display=False) as counter:
        shipped(torch.rand(1, 3, 4096))
    assert counter.get_total_flops() / 2 < 60e6


def test_judges_groups_and_cell(shipped: ConvNext1d) -> None:
    with torch.no_grad():
        logits, cell = shipped(torch.rand(2, 3, 4096))
    assert logits.shape == (2, 230)
    assert cell.shape == (2, 7)


@pytest.mark.parametrize("peak", [0, 4, 9])
@pytest.mark.parametrize("factor", [0.25, 0.8, 2.0])
def test_height_of_one_peak_matters(shipped: ConvNext1d, peak: int, factor: float) -> None:
    peaks, heights = torch.linspace(300, 3900, 10), torch.linspace(1.0, 0.3, 10)
    scaled = heights.clone()
    scaled[peak] *= factor
    assert change(shipped, channels(peaks, heights, 4096), channels(peaks, scaled, 4096)) > 0.05


@pytest.mark.parametrize("peak", [0, 4, 9])
@pytest.mark.parametrize("shift", [1.0, 30.0, 250.0])
def test_place_of_one_peak_matters(shipped: ConvNext1d, peak: int, shift: float) -> None:
    peaks, heights = torch.linspace(300, 3600, 10), torch.linspace(1.0, 0.3, 10)
    moved = peaks.clone()
    moved[peak] += shift
    assert change(shipped, channels(peaks, heights, 4096), channels(moved, heights, 4096)) > 0.05


def test_what_was_not_measured_differs_from_what_is_zero(shipped: ConvNext1d) -> None:
    measured = channels(torch.tensor([500.0, 900.0]), torch.tensor([1.0, 0.5]), 4096)
    cut = measured.clone()
    cut[:, 2, 3000:] = 0
    assert change(shipped, measured, cut) > 0.01


def test_every_point_of_every_channel_is_seen(small: ConvNext1d) -> None:
    pattern = torch.rand(1, 3, 256, requires_grad=True)
    (gradient,) = torch.autograd.grad(small(pattern).logits.square().sum(), pattern)
    assert gradient.abs().min() > 0


def test_every_weight_learns(small: ConvNext1d) -> None:
    logits, cell = small.train()(torch.rand(4, 3, 256))
    (logits.square().sum() + cell.square().sum()).backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in small.parameters())


def test_fresh_branches_add_nothing() -> None:
    network = ConvNext1d(SMALL).eval()
    tokens = torch.randn(2, 4, 16)
    assert torch.equal(network.attention(tokens), tokens)
    features = torch.randn(2, 8, 64)
    assert torch.equal(network.levels[0](features), features)


def test_fresh_network_tells_patterns_apart() -> None:
    # Offsets that are the same for all patterns must not drown what differs: training would start slowly.
    torch.manual_seed(0)
    patterns = torch.cat([channels(4096 * torch.rand(12), torch.rand(12), 4096) for _ in range(16)])
    with torch.no_grad():
        logits = ConvNext1d().eval()(patterns).logits
    assert logits.std(dim=0).mean() > 0.4 * logits.std()


def test_patterns_of_a_batch_do_not_mix(small: ConvNext1d) -> None:
    patterns = torch.rand(3, 3, 256)
    with torch.no_grad():
        alone = torch.cat([small(p[None]).logits for p in patterns])
        torch.testing.assert_close(small(patterns).logits, alone)


@pytest.mark.parametrize("height", [0.0, 1e-20, 1e6])
def test_flat_and_extreme_patterns_stay_finite(small: ConvNext1d, height: float) -> None:
    pattern = torch.zeros(2, 3, 256)
    pattern[1] = height
    pattern.requires_grad_()
    logits, cell = small(pattern)
    (gradient,) = torch.autograd.grad(logits.square().sum() + cell.square().sum(), pattern)
    assert logits.isfinite().all()
    assert gradient.isfinite().all()


def test_bfloat16_gives_nearly_the_same(small: ConvNext1d) -> None:
    patterns = torch.rand(2, 3, 256)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        coarse = small(patterns).logits
    with torch.no_grad():
        fine = small(patterns).logits
    assert (coarse - fine).abs().max() < 0.1 * fine.std()


# torch.export calls what torch itself has deprecated.
@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")
def test_onnx_runtime_gives_the_same_for_any_batch(small: ConvNext1d, tmp_path: Path) -> None:
    path = tmp_path / "small.onnx"
    torch.onnx.export(
        small,
        (torch.zeros(2, 3, 256),),
        str(path),
        dynamo=True,
        input_names=["patterns"],
        output_names=["logits", "cell"],
        dynamic_shapes=({0: "batch"},),
        external_data=False,
        verbose=False,
    )
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for batch in (1, 5):
        patterns = torch.rand(batch, 3, 256)
        with torch.no_grad():
            expected = small(patterns)
        for seen, wanted in zip(session.run(None, {"patterns": patterns.numpy()}), expected, strict=True):
            np.testing.assert_allclose(seen, wanted.numpy(), rtol=1e-4, atol=1e-5)


def test_what_does_not_fit_is_refused_with_advice(small: ConvNext1d) -> None:
    with pytest.raises(ValueError, match="100 points does not fit: resample to 256"):
        small(torch.zeros(1, 3, 100))
    with pytest.raises(ValueError, match=r"250 points do not fit strides \(4, 4, 4\): give a multiple of 64"):
        ConvNext1d(ConvNext1dConfig(size=250))
    with pytest.raises(ValueError, match="expected odd ones, as many as divide 32 channels"):
        ConvNext1d(ConvNext1dConfig(stem_kernels=(5, 9, 33)))
