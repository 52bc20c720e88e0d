"""Files of a volume taken apart: read back, gone on with, and readable by the readers of volumes."""

from pathlib import Path

import numpy as np
import pytest

from unscatter.diffuse.volume import factorize_volume
from unscatter.io.planes.read import read_diffraction
from unscatter.io.results import volume as files
from unscatter.io.results.volume import begun_volume, read_volume_components, write_volume, write_yell
from unscatter.nouns.cell import Cell
from unscatter.nouns.volume import Volume
from unscatter.nouns.volume_components import VolumeComponents


@pytest.fixture(scope="module")
def components() -> VolumeComponents:
    axis = np.linspace(-2, 2, 25)
    h, k, l = axis[None, None, :], axis[None, :, None], axis[:, None, None]  # noqa: E741
    order = 1 - 0.3 * np.cos(2 * np.pi * h) + 0.2 * np.cos(2 * np.pi * (k + l))
    volume = Volume(40 * np.exp(-0.1 * (h**2 + k**2 + l**2)) * order, axis, axis, axis, cell=Cell(5, 6, 7))
    return factorize_volume(volume)


def test_a_result_reads_back_as_it_was(components: VolumeComponents, tmp_path: Path) -> None:
    write_volume(tmp_path / "v.h5", components, "this")
    again = read_volume_components(tmp_path / "v.h5", components.volume)
    np.testing.assert_array_equal(again.series, components.series)
    np.testing.assert_array_equal(again.order.alpha, components.order.alpha)
    assert again.provenance == components.provenance
    assert [path.name for path in tmp_path.iterdir()] == ["v.h5"]


def test_a_result_is_read_as_a_volume_along_h_k_l(components: VolumeComponents, tmp_path: Path) -> None:
    write_volume(tmp_path / "v.h5", components, "this")
    volume = read_diffraction(tmp_path / "v.h5", dataset="entry/I_FF")
    assert isinstance(volume, Volume)
    np.testing.assert_allclose(volume.h, components.volume.h)
    block = components.form_factor(slice(3, 5))
    np.testing.assert_allclose(np.asarray(volume.intensity[slice(3, 5), slice(None), slice(None)]), block, rtol=1e-6)


def test_what_was_found_outlives_a_call_that_was_killed_while_writing(
    components: VolumeComponents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "v.h5"
    monkeypatch.setattr(files, "BLOCK_VOXELS", 1)

    def stop(share: float, what: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_volume(path, components, "this", stop)
    assert not path.exists()
    assert begun_volume(path, components.volume, "another") is None
    begun = begun_volume(path, components.volume, "this")
    assert begun is not None
    write_volume(path, begun, "this")
    again = read_diffraction(path, dataset="entry/I_SRO")
    everything = slice(0, components.shape[0])
    np.testing.assert_allclose(np.asarray(again.intensity), components.short_range_order(everything), atol=1e-6)
    assert begun_volume(path, components.volume, "this") is None


def test_files_in_the_layout_of_yell_are_read_as_volumes(components: VolumeComponents, tmp_path: Path) -> None:
    form, order = write_yell(tmp_path, "crystal", components)
    volume = read_diffraction(order)
    assert isinstance(volume, Volume)
    assert volume.cell == components.volume.cell
    everything = slice(0, components.shape[0])
    np.testing.assert_allclose(np.asarray(volume.intensity), components.short_range_order(everything), atol=1e-6)
    assert form.name == "crystal.form_factor.h5"
