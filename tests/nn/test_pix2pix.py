"""The published generator and discriminator, against their layer list."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from unscatter.nn.pix2pix import Discriminator, DiscriminatorConfig, Generator, GeneratorConfig

SMALL = GeneratorConfig(channels=(8, 16, 16), down_dropout=1, up_dropout=1)


@pytest.fixture(scope="module")
def published() -> Generator:
    return Generator()


@pytest.fixture(scope="module")
def published_critic() -> Discriminator:
    return Discriminator()


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def kinds(network: nn.Module) -> list[str]:
    return [type(m).__name__ for m in network.modules() if not list(m.children())]


def test_features_halve_down_to_a_latent_of_4_by_4(published: Generator) -> None:
    features = published.eval().encode(torch.zeros(1, 1, 256, 256))
    assert [tuple(f.shape[1:]) for f in features] == [
        (64, 128, 128),
        (128, 64, 64),
        (256, 32, 32),
        (512, 16, 16),
        (512, 8, 8),
        (512, 4, 4),
    ]


def test_plane_goes_to_plane(published: Generator) -> None:
    plane = torch.randn(1, 1, 256, 256)
    with torch.no_grad():
        made = published.eval()(plane)
    assert made.shape == plane.shape
    assert made.abs().max() < 1


def test_generator_has_the_parameters_of_the_layer_list(published: Generator) -> None:
    # 4 x 4 kernels of 16 weights; a bias in the two convolutions down without a norm and in the last.
    down = (1 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512 * 512 + 512 * 512) * 16 + 64 + 512
    # Each level up but the first takes what came up and the skip of the same width.
    up = (512 * 512 + 1024 * 512 + 1024 * 256 + 512 * 128 + 256 * 64) * 16
    head = 128 * 1 * 16 + 1
    assert count(published) == down + up + head == 29_232_705


def test_generator_drops_and_normalises_where_published(published: Generator) -> None:
    down, up = list(published.down), list(published.up)
    assert ["InstanceNorm2d" in kinds(level) for level in down] == [False, True, True, True, True, False]
    assert ["Dropout" in kinds(level) for level in down] == [False, False, False, True, True, True]
    assert all("InstanceNorm2d" in kinds(level) for level in up)
    assert ["Dropout" in kinds(level) for level in up] == [True, True, False, False, False]


def test_discriminator_gives_one_map_of_16_by_16(published_critic: Discriminator) -> None:
    with torch.no_grad():
        assert published_critic(*torch.randn(2, 1, 1, 256, 256)).shape == (1, 1, 16, 16)


def test_discriminator_has_the_parameters_of_the_layer_list(published_critic: Discriminator) -> None:
    levels = (2 * 64 + 64 * 128 + 128 * 256 + 256 * 512) * 16 + 64
    assert count(published_critic) == levels + 512 * 1 * 16 + 1 == 2_762_817
    assert kinds(published_critic).count("InstanceNorm2d") == 3
    assert "InstanceNorm2d" not in kinds(published_critic.layers[0])


@pytest.mark.parametrize("network", ["published", "published_critic"])
def test_weights_start_normal_with_deviation_of_one_fiftieth(network: str, request: pytest.FixtureRequest) -> None:
    parameters = dict(request.getfixturevalue(network).named_parameters())
    weights = torch.cat([p.flatten() for name, p in parameters.items() if name.endswith("weight")])
    assert abs(float(weights.detach().mean())) < 1e-4
    assert float(weights.detach().std()) == pytest.approx(0.02, rel=0.01)
    assert all(bool((p == 0).all()) for name, p in parameters.items() if name.endswith("bias"))


def test_dropout_makes_noise_in_training_and_none_in_evaluation() -> None:
    generator, plane = Generator(SMALL), torch.randn(2, 1, 32, 32)
    assert not torch.equal(generator(plane), generator(plane))
    generator.eval()
    assert torch.equal(generator(plane), generator(plane))


def test_samples_of_a_batch_do_not_mix() -> None:
    def alone(network: nn.Module, *planes: Tensor) -> Tensor:
        return torch.cat([network(*(p[i : i + 1] for p in planes)) for i in range(3)])

    planes, conditions = torch.randn(2, 3, 1, 32, 32)
    generator, critic = Generator(SMALL).eval(), Discriminator(DiscriminatorConfig(channels=(8, 16)))
    torch.testing.assert_close(generator(planes), alone(generator, planes))
    torch.testing.assert_close(critic(planes, conditions), alone(critic, planes, conditions))


def test_odd_sizes_are_refused_with_advice() -> None:
    with pytest.raises(ValueError, match="does not fit 3 levels: resample it to a multiple of 8"):
        Generator(SMALL)(torch.zeros(1, 1, 100, 100))
