"""A damaged HDF5 file is looked at in another process first."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from unscatter.io import probing
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


def test_a_look_is_bounded_by_the_time_that_it_works_not_by_the_clock(tmp_path: Path) -> None:
    """On a machine that others keep busy, a sound file takes long on the clock."""
    for body, fault in (("time.sleep(6)", ""), ("while True: pass", "does not come to an end with it in 5 s")):
        program = tmp_path / "probe.py"
        slow = f"import time\n\ndef _touch(path):\n    {body}\n\n_serve()\n"
        program.write_text(Path(probing.__file__).read_text().partition('\nif __name__ == "__main__"')[0] + slow)
        prober = probing._Prober(program)
        (tmp_path / "sound.h5").write_bytes(body.encode())
        try:
            assert fault in prober.ask(tmp_path / "sound.h5")
            assert bool(fault) == bool(prober.ask(tmp_path / "sound.h5"))
        finally:
            prober.end()
