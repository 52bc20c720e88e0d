"""Grids that give the limits of x and y beside their values: NIPL of DISCUS, and Surfer's in text and binary."""

import struct

import numpy as np
import pytest

from unscatter.io import read_plane

NX, NY = 41, 33
VALUES = np.rint(200 + 50 * np.sin(np.arange(NY * NX).reshape(NY, NX) ** 0.7)) + np.arange(NX)
GAP = np.zeros(VALUES.shape, dtype=bool)
GAP[10:14, 5:9] = True
MARKED = np.where(GAP, np.nan, VALUES)
BLANK = 1.70141e38


def nipl(head="", width=5):
    flat = np.where(GAP, -9999, VALUES).ravel()
    rows = [" ".join(f"{value:g}" for value in flat[i : i + width]) for i in range(0, flat.size, width)]
    return "\n".join([*([head] if head else []), f"{NX} {NY}", "-4.0 4.0 -3.2 3.2", *rows, ""]).encode()


def surfer_text():
    rows = [" ".join(f"{value:g}" for value in row) for row in np.where(GAP, BLANK, VALUES)]
    return "\n".join(["DSAA", f"{NX} {NY}", "-4 4", "-3.2 3.2", "1 300", *rows, ""]).encode()


def surfer_6():
    return (
        b"DSBB"
        + struct.pack("<hh6d", NX, NY, -4, 4, -3.2, 3.2, 1, 300)
        + np.where(GAP, BLANK, VALUES).astype("<f4").tobytes()
    )


def surfer_7(turned=0.0):
    grid = struct.pack("<ii8d", NY, NX, -4, -3.2, 0.2, 0.2, 1, 300, turned, BLANK)
    values = np.where(GAP, BLANK, VALUES).astype("<f8").tobytes()
    parts = ((b"DSRB", struct.pack("<i", 1)), (b"GRID", grid), (b"DATA", values))
    return b"".join(tag + struct.pack("<i", len(part)) + part for tag, part in parts)


WRITTEN = {
    "NIPL": nipl(),
    "NIPL with remarks": nipl("# DISCUS\n# hk0"),
    "NIPL of long rows": nipl(width=NX),
    "Surfer text": surfer_text(),
    "Surfer 6": surfer_6(),
    "Surfer 7": surfer_7(),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_values_rows_and_gaps_are_those_of_the_file(name, tmp_path):
    (tmp_path / "p.grd").write_bytes(WRITTEN[name])
    plane = read_plane(tmp_path / "p.grd")
    np.testing.assert_array_equal(plane.intensity, MARKED)
    advice = next(note for note in plane.notes if "--axes" in note)
    placed = read_plane(tmp_path / "p.grd", axes=advice.split('"')[1])
    np.testing.assert_allclose(placed.axes.x, np.linspace(-4, 4, NX))
    np.testing.assert_allclose(placed.axes.y, np.linspace(-3.2, 3.2, NY))
    assert not any("--axes" in note for note in placed.notes)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (nipl()[:-40], "announces 41 x 33 values and holds"),
        (surfer_text()[:200], "announces a grid of 41 x 33"),
        (surfer_6()[:40], "announces a grid of 41 x 33"),
        (surfer_6()[:20], "cut short"),
        (surfer_6()[:200], "announces a grid of 41 x 33"),
        (surfer_7()[:60], "cut short|without its sections"),
        (surfer_7()[:-64], "announces a grid of 41 x 33"),
        (surfer_7(turned=30.0), "turned by 30 deg"),
        (b"ncols 41\nnrows 33\n" + surfer_text()[30:], "an ESRI grid, whose first row lies at the top"),
    ],
)
def test_broken_grids_are_refused_in_one_line(content, message, tmp_path):
    (tmp_path / "p.grd").write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_plane(tmp_path / "p.grd")
    assert "\n" not in str(caught.value)
