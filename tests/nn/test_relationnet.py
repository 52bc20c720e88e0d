"""The network that reads relations between lines."""

from __future__ import annotations

from pathlib import Path

import onnxruntime
import pytest
import torch

from unscatter.nn.relationnet import RelationNet, RelationNetConfig
from unscatter.powder.pattern.channels import SIZE

TINY = RelationNetConfig(width=16, blocks=1, patch_width=8, folded_width=8, kept_width=4, classes=5, cell=2)


def channels(count: int = 3) -> torch.Tensor:
    torch.manual_seed(1)
    x = torch.rand(count, 3, SIZE) ** 8
    x[:, 2] = torch.arange(SIZE) > 500
    return x


def test_two_heads_see_one_pattern() -> None:
    logits, cell = RelationNet(TINY)(channels())
    assert logits.shape == (3, 5)
    assert cell.shape == (3, 2)


def test_weights_stay_below_16_megabytes() -> None:
    assert sum(p.numel() for p in RelationNet().parameters()) * 4 < 16e6


def test_without_the_profile_the_order_of_heights_along_the_axis_is_not_seen() -> None:
    # Relations are taken from the second channel alone.
    network = RelationNet(RelationNetConfig(width=16, blocks=1, profile=False)).eval()
    one = channels()
    other = one.clone()
    other[:, 0] = other[:, 0].flip(-1)
    torch.testing.assert_close(network(one).logits, network(other).logits)
    with_profile = RelationNet(TINY).eval()
    assert (with_profile(one).logits - with_profile(other).logits).abs().max() > 1e-4


def test_every_weight_learns() -> None:
    torch.manual_seed(0)
    network = RelationNet(TINY)
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    # Branches begin at zero, so that what is before them learns from the second step on.
    for _ in range(2):
        optimizer.zero_grad()
        logits, cell = network(channels())
        (logits.square().sum() + cell.square().sum()).backward()
        optimizer.step()
    still = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert not still


def test_a_pattern_on_another_axis_is_refused() -> None:
    with pytest.raises(ValueError, match="resample to 4096"):
        RelationNet(TINY)(torch.rand(1, 3, 1000))


def test_patches_that_do_not_divide_the_pattern_are_refused() -> None:
    with pytest.raises(ValueError, match="change patch or fold"):
        RelationNet(RelationNetConfig(fold=5))


# torch.export calls what torch itself has deprecated.
@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")
def test_onnx_gives_the_same_numbers(tmp_path: Path) -> None:
    network, x = RelationNet(TINY).eval(), channels()
    path = tmp_path / "network.onnx"
    torch.onnx.export(
        network,
        (x,),
        str(path),
        input_names=["channels"],
        dynamic_shapes=({0: "batch"},),
        external_data=False,
        verbose=False,
    )
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    seen = session.run(None, {"channels": x[:2].numpy()})
    for ours, theirs in zip(network(x[:2]), seen, strict=True):
        torch.testing.assert_close(ours.detach(), torch.as_tensor(theirs), atol=1e-4, rtol=1e-4)
