"""A damaged HDF5 file is looked at in another process first."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from unscatter.io.hdf5 import Store
from unscatter.io.probing import require_sound


def test_a_text_that_claims_two_gigabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "claim.h5"
    with h5py.File(path, "w") as file:
        file["title"] = "CeO2"
        # Of a text of variable length a dataset holds its length and where it is.
        place = file["title"].id.get_offset()
    data = bytearray(path.read_bytes())
    assert data[place] == len("CeO2")
    data[place + 3] = 0x80
    path.write_bytes(bytes(data))
    with pytest.raises(ValueError, match=r"takes \d\.\d GB to open it"):
        require_sound(path)
    with pytest.raises(ValueError, match="copy it again"), Store(path):
        pass


def test_a_sound_file_is_let_through_after_one_that_is_not(tmp_path: Path) -> None:
    path = tmp_path / "sound.h5"
    with h5py.File(path, "w") as file:
        file["data"] = np.arange(10.0)
    require_sound(path)
    with Store(path) as store:
        np.testing.assert_array_equal(store.numbers("data"), np.arange(10.0))
