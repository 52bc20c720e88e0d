import pytest
import torch

from unscatter.nn.inception import Inception


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return Inception().eval()


def test_it_has_the_parameters_of_the_published_network_less_its_classifier(network):
    published, classifier = 23_834_568, 2048 * 1000 + 1000
    assert sum(parameter.numel() for parameter in network.parameters()) == published - classifier


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("Conv2d_1a_3x3.conv.weight", (32, 3, 3, 3)),
        ("Mixed_5b.branch_pool.conv.weight", (32, 192, 1, 1)),
        ("Mixed_5d.branch3x3dbl_3.bn.running_var", (96,)),
        ("Mixed_6a.branch3x3.conv.weight", (384, 288, 3, 3)),
        ("Mixed_6b.branch7x7_2.conv.weight", (128, 128, 1, 7)),
        ("Mixed_6e.branch7x7dbl_5.conv.weight", (192, 192, 1, 7)),
        ("Mixed_7a.branch7x7x3_4.conv.weight", (192, 192, 3, 3)),
        ("Mixed_7c.branch3x3dbl_3b.conv.weight", (384, 384, 3, 1)),
    ],
)
def test_weights_bear_the_names_under_which_they_are_passed_on(network, name, shape):
    assert tuple(network.state_dict()[name].shape) == shape


def test_every_block_has_the_published_width(network):
    widths = {}
    for name, block in network.named_children():
        block.register_forward_hook(lambda _, __, out, name=name: widths.update({name: tuple(out.shape[1:])}))
    with torch.no_grad():
        features = network(torch.zeros(1, 3, 64, 64, dtype=torch.uint8))
    assert features.shape == (1, network.num_features) == (1, 2048)
    assert widths["Conv2d_4a_3x3"] == (192, 71, 71)
    assert [widths[name] for name in ("Mixed_5b", "Mixed_5c", "Mixed_5d")] == [
        (256, 35, 35),
        (288, 35, 35),
        (288, 35, 35),
    ]
    assert {widths[f"Mixed_6{letter}"] for letter in "abcde"} == {(768, 17, 17)}
    assert [widths[name] for name in ("Mixed_7a", "Mixed_7b", "Mixed_7c")] == [(1280, 8, 8), (2048, 8, 8), (2048, 8, 8)]


def test_average_pools_do_not_count_the_padding(network):
    # Of a constant the average is the constant also at the edge; with zeros counted in, the corner has 4/9 of it.
    from unscatter.nn.inception import _pooled

    torch.testing.assert_close(_pooled(torch.ones(1, 1, 5, 5), "average"), torch.ones(1, 1, 5, 5))
