import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scipy.ndimage import gaussian_filter
from torch import nn

from unscatter.data import training_file
from unscatter.diffuse.plane.scaling import scale_by_maximum
from unscatter.diffuse.samples.draw import collate, draw_sample, read_recipe, render
from unscatter.nn.inception import Inception
from unscatter.train.diffuse.distribution import distribution_distances
from unscatter.train.diffuse.encoder import without_artefacts
from unscatter.train.diffuse.features import open_encoder, open_inception
from unscatter.weights import list_weights


@pytest.fixture(scope="module")
def components():
    """True components (2, n, ny, nx) of validation samples in the range [-1, 1]."""
    recipe = without_artefacts(read_recipe("paper"), 128)
    samples = render(collate(recipe, [draw_sample(recipe, 0, index, "validation") for index in range(48)]))
    both = (samples.form_factor, samples.short_range_order)
    return np.stack([[scale_by_maximum(plane) for plane in planes] for planes in both])


@pytest.mark.parametrize("component", [0, 1], ids=["I_FF", "I_SRO"])
@pytest.mark.parametrize("spoil", ["blur", "noise"])
def test_distances_grow_with_blur_and_with_noise(components, component, spoil):
    truth, encoder = components[component], open_encoder()
    noise = np.random.default_rng(0).normal(size=truth.shape)

    def spoiled(amount):
        if spoil == "blur":
            return gaussian_filter(truth, (0, 10 * amount, 10 * amount))
        return np.clip(truth + 4 * amount * noise, -1, 1)

    distances = [distribution_distances(spoiled(amount), truth, encoder) for amount in (0.0, 0.1, 0.4)]
    assert distances[0].fid == pytest.approx(0, abs=1e-6)
    assert distances[0].fid < distances[1].fid < distances[2].fid
    assert distances[0].kid < distances[1].kid < distances[2].kid


def test_the_shipped_encoder_is_small_and_not_offered_for_inference():
    assert (training_file("weights/encoder-x.safetensors")).stat().st_size < 3_000_000
    assert "encoder-x" not in [card.name for card in list_weights()]


def test_an_altered_encoder_is_refused(tmp_path):
    for suffix in ("json", "safetensors"):
        shutil.copy(training_file(f"weights/encoder-x.{suffix}"), tmp_path)
    card, tensors = tmp_path / "encoder-x.json", tmp_path / "encoder-x.safetensors"
    assert open_encoder(card).num_features == json.loads(card.read_text())["record"]["options"]["network"]["features"]
    content = bytearray(tensors.read_bytes())
    content[-1] ^= 1
    tensors.write_bytes(bytes(content))
    with pytest.raises(ValueError, match="altered"):
        open_encoder(card)


@pytest.fixture(scope="module")
def inception():
    torch.manual_seed(0)
    return Inception().eval()


def test_tensors_under_the_published_names_give_the_features_of_their_network(inception, tmp_path):
    path = tmp_path / "inception.safetensors"
    kept = {k: v for k, v in inception.state_dict().items() if not k.endswith("num_batches_tracked")}
    save_file({**kept, "fc.weight": torch.zeros(1008, 2048)}, path)
    plane = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    image = ((plane + 1) * 127.5).round().byte().expand(-1, 3, -1, -1)
    with torch.no_grad():
        torch.testing.assert_close(open_inception(path)(plane), inception(image))


def test_tensors_of_another_network_are_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    save_file({"layer.weight": torch.zeros(2)}, path)
    with pytest.raises(ValueError, match="missing or unknown"):
        open_inception(path)
    path.write_bytes(b"no tensors here")
    with pytest.raises(ValueError, match="is not a network"):
        open_inception(path)


@pytest.mark.parametrize("modern", [True, False], ids=["zip", "bare"])
def test_pickles_are_refused_and_told_how_to_convert(inception, tmp_path, modern):
    path = tmp_path / "inception.pth"
    torch.save({"fc.weight": torch.zeros(2)}, path, _use_new_zipfile_serialization=modern)
    with pytest.raises(ValueError, match=r"pickled weights.*save_file"):
        open_inception(path)


def test_a_missing_file_says_what_is_expected(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected a TorchScript file"):
        open_inception(tmp_path / "nothing.pt")


class ByProbability(nn.Module):
    """Like the file that NVIDIA passes on: features only where they are asked for."""

    def forward(self, images: torch.Tensor, return_features: bool = False) -> torch.Tensor:
        if return_features:
            return images.float().mean(dim=(2, 3))
        return images.float().sum(dim=(1, 2, 3))


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_a_network_as_torchscript_is_asked_for_features(tmp_path):
    path = tmp_path / "inception.pt"
    torch.jit.save(torch.jit.script(ByProbability()), str(path))
    features = open_inception(path)(torch.tensor([[[[-1.0, 1.0]]]]))
    torch.testing.assert_close(features, torch.full((1, 3), 127.5))
