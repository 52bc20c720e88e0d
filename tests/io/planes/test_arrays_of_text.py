"""A plane saved as .npz or as a matrix of text is the same plane as from .npy, or is refused with what to type."""

import io
import re
import zipfile

import numpy as np
import pytest

from unscatter.io import read_mask, read_plane

AXES = "h=-2:2 k=-1:1 l=1"
#: Whole numbers that are no even steps along rows or columns.
COUNTS = np.random.default_rng(0).poisson(200.0, (15, 21))
GAP = np.zeros(COUNTS.shape, dtype=bool)
GAP[3:5, 7] = True
MARKED = np.where(GAP, np.nan, COUNTS)


def lines(separator=" ", form="{:.2f}", gap="nan", end=""):
    return "".join(
        separator.join(gap if np.isnan(value) else form.format(value) for value in row) + end + "\n" for row in MARKED
    )


def write_savetxt(path):
    np.savetxt(path, MARKED)


def write_savetxt_csv(path):
    np.savetxt(path, MARKED, delimiter=",", header="hk1 of a crystal\n120 K", fmt="%g")


def write_savetxt_commas_and_blanks(path):
    np.savetxt(path, MARKED, delimiter=", ", fmt="%.1f")


def write_compressed(path):
    np.savez_compressed(path.with_suffix(".npz"), MARKED)
    path.with_suffix(".npz").rename(path)


TEXTS = {
    "tabs": lines("\t"),
    "fixed width": lines("", "{:9.2f}", "      nan"),
    "quoted": lines(",").replace("200.00", '"200.00"'),
    "empty fields": lines(",", gap=""),
    "names of gaps": lines(";", gap="NA"),
    "commas at the end": lines(",", end=","),
    "words above": "detector image\nx,y\n" + lines(","),
    "decimal commas": lines(";").replace(".", ","),
    "decimal commas and blanks": lines(" ").replace(".", ","),
    "-1 among counts": lines(" ", "{:.0f}", "-1"),
    "Windows": lines(",").replace("\n", "\r\n"),
    "blank lines at the end": lines(",") + "\n\n",
}


def text_writer(text, encoding="utf-8"):
    return lambda path: path.write_bytes(text.encode(encoding))


WRITERS = {
    "savetxt": write_savetxt,
    "savetxt, CSV and header": write_savetxt_csv,
    "savetxt, comma and blank": write_savetxt_commas_and_blanks,
    "npz": write_compressed,
    "UTF-16": text_writer(lines("\t"), "utf-16"),
    **{name: text_writer(text) for name, text in TEXTS.items()},
}


@pytest.mark.parametrize("name", WRITERS)
def test_one_plane_in_every_way_of_writing_is_the_same(name, tmp_path):
    WRITERS[name](tmp_path / "plane.dat")
    plane = read_plane(tmp_path / "plane.dat", axes=AXES)
    np.testing.assert_allclose(plane.intensity, MARKED)
    np.testing.assert_allclose(plane.axes.hkl()[-1, 0], [-2, 1, 1])


def test_lines_above_the_numbers_are_told(tmp_path):
    (tmp_path / "p.csv").write_text(TEXTS["words above"])
    assert "2 lines above the numbers were not read: 'detector image'" in read_plane(tmp_path / "p.csv").notes


def test_an_archive_of_several_planes_is_read_as_its_refusal_says(tmp_path):
    path = tmp_path / "p.npz"
    np.savez(path, intensity=COUNTS, marks=GAP, x=np.linspace(-2, 2, 21))
    with pytest.raises(ValueError, match="choose one with --dataset intensity") as caught:
        read_plane(path)
    mask = re.search(r"--mask \S+::(\w+)", str(caught.value))[1]
    plane = read_plane(path, dataset="intensity", mask=f"{path}::{mask}")
    np.testing.assert_array_equal(plane.intensity, MARKED)
    np.testing.assert_array_equal(read_mask(f"{path}::marks"), GAP)
    assert "of the arrays intensity, marks, x only intensity was read" in plane.notes


def test_an_archive_of_a_volume_is_cut(tmp_path):
    np.savez(tmp_path / "v.npz", np.stack([COUNTS + 1, COUNTS, COUNTS + 2]))
    plane = read_plane(tmp_path / "v.npz", axes="h=-2:2 k=-1:1 l=-1:1", plane="hk0")
    np.testing.assert_array_equal(plane.intensity, COUNTS)


def archive(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in members.items():
            target.writestr(f"{name}.npy", content)
    return file.getvalue()


def header(shape):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return file.getvalue()


def objects():
    file = io.BytesIO()
    np.save(file, np.array([[{}, {}]], dtype=object), allow_pickle=True)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (archive(a=header((10**6, 10**6)) + bytes(800)), "cannot be read"),
        (archive(a=header((5000, 5000)) + bytes(8 * 5000 * 5000)), "unpacks to 190 MB; .* save it as .npy"),
        (archive(a=objects()), "cannot be read"),
        (archive(a=header((5,)) + bytes(40)), r"holds a \(5,\); expected a plane"),
        (archive(a=b"no array"), "cannot be read"),
        (archive(a=header((5, 5)) + bytes(200))[:-30], "cannot be read"),
        (lines(",").encode() + lines(",").replace("\n", ",7\n").encode(), "expected as many numbers in each row"),
        (lines(",").replace("nan", "dead").encode(), "expected as many numbers in each row"),
        ((lines() + "\n" + lines()).encode(), "blank lines between its rows.* stack"),
        ((lines() + "# New slice\n" + lines()).encode(), "remarks or blank lines between its rows.* stack"),
        (b"10.0 100\n10.1 120\n10.2 130\n", "table of 2 columns; .* unscatter classify"),
        (
            (" ".join(f"{x:g}" for x in range(21)) + "\n" + lines()).encode(),
            "first row counts from 1 to 20 .* take that row out",
        ),
        (
            "".join(f"{n},{line}\n" for n, line in enumerate(lines(",").splitlines())).encode(),
            "first column counts from 1 to 14",
        ),
        (lines(";", "1,{:.0f}").encode(), "a thousand or a decimal comma"),
    ],
)
def test_what_is_no_plane_says_so_in_one_line(content, message, tmp_path):
    (tmp_path / "p.dat").write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_plane(tmp_path / "p.dat")
    assert "\n" not in str(caught.value)


def test_a_matrix_without_the_row_of_names_is_read(tmp_path):
    text = " ".join(f"{x:g}" for x in range(21)) + "\n" + lines()
    (tmp_path / "p.dat").write_text(text.split("\n", 1)[1])
    np.testing.assert_allclose(read_plane(tmp_path / "p.dat").intensity, MARKED)
