"""What read_plane makes of gaps, masks and negative values."""

import h5py
import numpy as np
import pytest
import tifffile

from unscatter.io import read_mask, read_plane


@pytest.fixture
def image():
    return np.arange(1.0, 21.0).reshape(4, 5)


@pytest.fixture
def save(tmp_path):
    def write(array):
        np.save(tmp_path / "plane.npy", array)
        return tmp_path / "plane.npy"

    return write


def test_infinities_are_gaps_and_zeros_what_they_are_said_to_be(image, save):
    image[0, 0], image[1, 1], image[2, 2] = 0, np.inf, np.nan
    path = save(image)
    assert np.isnan(read_plane(path, zeros="missing").intensity).sum() == 3
    assert read_plane(path, zeros="measured").intensity[0, 0] == 0


def test_masks_of_every_kind(image, save, tmp_path):
    mask = np.zeros(image.shape, dtype=np.uint8)
    mask[1, 2] = 7
    np.save(tmp_path / "mask.npy", mask)
    tifffile.imwrite(tmp_path / "mask.tif", mask)
    with h5py.File(tmp_path / "mask.h5", "w") as file:
        file["entry/mask"] = mask
    path = save(image)
    for name in ("mask.npy", "mask.tif", "mask.h5::entry/mask"):
        assert np.argwhere(~read_plane(path, mask=tmp_path / name).measured).tolist() == [[1, 2]]
        assert read_mask(f"{tmp_path}/{name}").dtype == bool


def test_mask_of_another_shape(image, save, tmp_path):
    np.save(tmp_path / "mask.npy", np.ones((3, 3)))
    with pytest.raises(ValueError, match=r"mask .* has shape \(3, 3\) and the plane \(4, 5\)"):
        read_plane(save(image), mask=tmp_path / "mask.npy")


def test_negative_values(image, save):
    image[0, :2] = -3, -1
    path = save(image)
    with pytest.raises(ValueError, match=r"10 % of the measured pixels are negative, down to -3; --negative keep"):
        read_plane(path, negative="refuse")
    assert read_plane(path, negative="keep").intensity[0, :3].tolist() == [-3, -1, 3]
    assert read_plane(path, negative="clip").intensity[0, :3].tolist() == [0, 0, 3]
    assert read_plane(path, negative="shift").intensity[0, :3].tolist() == [0, 2, 6]


def test_masked_negative_values_do_not_count(image, save, tmp_path):
    image[0, 0] = -3
    np.save(tmp_path / "mask.npy", image < 0)
    assert read_plane(save(image), mask=tmp_path / "mask.npy").measured.sum() == 19


@pytest.mark.parametrize(
    ("value", "zeros"), [(np.nan, "auto"), (0.0, "missing"), (0.0, "measured"), (0.0, "auto"), (7.0, "auto")]
)
def test_nothing_measured(save, value, zeros):
    with pytest.raises(ValueError, match=r"no pixel of this plane was measured|all measured pixels .* are"):
        read_plane(save(np.full((4, 4), value)), zeros=zeros)


def test_a_plane_cannot_be_cut(image, save):
    with pytest.raises(ValueError, match="is a plane already"):
        read_plane(save(image), plane="hk1")


def test_a_volume_needs_a_plane_and_no_axes(tmp_path):
    with h5py.File(tmp_path / "y.h5", "w") as file:
        file["data"], file["step_sizes"] = np.ones((4, 5, 6)), [1.0, 1.0, 1.0]
    with pytest.raises(ValueError, match=r"volume 4 x 5 x 6; choose a plane of it, for example --plane hk1"):
        read_plane(tmp_path / "y.h5")
    with pytest.raises(ValueError, match="leave out --axes"):
        read_plane(tmp_path / "y.h5", axes="h=-1:1 k=-1:1 l=0")


def test_datasets_are_of_hdf5(image, save):
    with pytest.raises(ValueError, match="leave out --dataset"):
        read_plane(save(image), dataset="entry/data")
