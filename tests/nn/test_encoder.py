import torch

from unscatter.nn.encoder import Encoder, EncoderConfig


def test_planes_of_any_size_become_features():
    encoder = Encoder().eval()
    with torch.no_grad():
        assert encoder(torch.zeros(2, 1, 64, 64)).shape == (2, 64)
        assert encoder(torch.zeros(2, 1, 256, 200)).shape == (2, 64)


def test_a_plane_and_the_same_plane_with_every_pixel_repeated_have_equal_features():
    encoder = Encoder().eval()
    planes = torch.rand(3, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    finer = planes.repeat_interleave(2, dim=-1).repeat_interleave(2, dim=-2)
    with torch.no_grad():
        torch.testing.assert_close(encoder(planes), encoder(finer))


def test_features_have_mean_zero_and_variance_one_over_the_planes_of_the_training():
    torch.manual_seed(2)
    features = Encoder(EncoderConfig(size=32, widths=(8, 16, 16), features=6))(torch.rand(40, 1, 32, 32))
    torch.testing.assert_close(features.mean(dim=0), torch.zeros(6), atol=1e-5, rtol=0)
    assert torch.all((features.var(dim=0, correction=0) - 1).abs() < 0.05)


def test_an_encoder_sees_where_something_stands():
    torch.manual_seed(3)
    encoder = Encoder().eval()
    plane = torch.full((1, 1, 64, 64), -1.0)
    plane[..., 8:16, 8:16] = 1.0
    with torch.no_grad():
        assert (encoder(plane) - encoder(plane.roll(32, dims=-1))).abs().max() > 1e-3
