"""Start files of other programs, read as those programs read them."""

import math
import re
from dataclasses import replace

import gemmi
import numpy as np
import pytest

from unscatter.io.results.start_files.cif import cif_text
from unscatter.io.results.start_files.fullprof import fullprof_text
from unscatter.io.results.start_files.gsas2 import gsas2_text
from unscatter.io.results.start_files.setting import standard_cell
from unscatter.io.results.start_files.start import make_start
from unscatter.io.results.start_files.topas import topas_text
from unscatter.io.results.start_files.write import write_start_files
from unscatter.nouns.cell import Cell
from unscatter.nouns.lattice import Lattice
from unscatter.powder.demonstration import corundum, simulate_corundum
from unscatter.powder.pattern.line_shape import LineShape
from unscatter.powder.refine.fit_pattern import fit_pattern
from unscatter.powder.refine.predicted import predict_lines
from unscatter.powder.refine.thompson import thompson_law
from unscatter.symmetry import SPACE_GROUPS, space_group

ANGLES = np.array([30.0, 60.0, 90.0, 120.0])


@pytest.fixture(scope="module")
def fit():
    return fit_pattern(simulate_corundum(), Lattice(corundum().cell, "hR"))


@pytest.fixture(scope="module")
def start(fit):
    pattern = replace(fit.pattern, second_wavelength=1.5444, source="/data/corundum.xye")
    return make_start(replace(fit, pattern=pattern, displacement=0.02), 167, thompson_law(fit))


def total(gaussian, lorentzian):
    """FWHM of Thompson, Cox & Hastings, eq. (3), written out anew."""
    g, l = gaussian, lorentzian  # noqa: E741
    terms = g**5 + 2.69269 * g**4 * l + 2.42843 * g**3 * l**2 + 4.47163 * g**2 * l**3 + 0.07842 * g * l**4 + l**5
    return terms**0.2


def expected(fit):
    return LineShape(fit.caglioti, fit.mixing, size=fit.size, strain=fit.strain).fwhm(ANGLES)


def instprm(text):
    rows = [line.split(":") for line in text.splitlines() if not line.startswith("#")]
    return dict(rows)


def pcr_row(text, header, offset=1):
    lines = text.splitlines()
    row = next(k for k, line in enumerate(lines) if line.startswith(header))
    return [float(word) for word in lines[row + offset].split()]


def test_the_cif_is_read_back_by_gemmi_with_the_cell_its_errors_and_the_group(start, fit):
    block = gemmi.cif.read_string(cif_text(start)).sole_block()
    small = gemmi.make_small_structure_from_block(block)
    small.determine_and_set_spacegroup("s.h2")
    assert small.spacegroup.number == 167
    assert small.spacegroup.xhm() == "R -3 c:H"
    np.testing.assert_allclose(small.cell.parameters, fit.lattice.cell.parameters, rtol=2e-5)
    assert re.fullmatch(r"\d+\.\d+\(\d+\)", block.find_value("_cell_length_a"))
    operations = gemmi.GroupOps(
        [gemmi.Op(op.strip("'")) for op in block.find_values("_space_group_symop_operation_xyz")]
    )
    assert operations == start.group.operations()


def test_gsas2_widths_are_variances_in_centidegrees(start, fit):
    table = instprm(gsas2_text(start))
    u, v, w, x, y = (float(table[name]) for name in "UVWXY")
    theta = np.radians(ANGLES / 2)
    sigma = np.sqrt(u * np.tan(theta) ** 2 + v * np.tan(theta) + w)
    gaussian = math.sqrt(8 * math.log(2)) * sigma / 100
    np.testing.assert_allclose(total(gaussian, (x / np.cos(theta) + y * np.tan(theta)) / 100), expected(fit), rtol=0.01)
    assert table["Type"] == "PNC"
    assert [float(table[name]) for name in ("Lam1", "Lam2", "I(L2)/I(L1)")] == [1.5403, 1.5444, 0.5]
    assert abs(float(table["Zero"]) - start.fit.zero) < 0.02


def test_fullprof_has_the_cell_the_widths_and_profile_matching(start, fit):
    text = fullprof_text(start)
    cell = pcr_row(text, "!     a          b")
    np.testing.assert_allclose(cell, fit.lattice.cell.parameters, atol=6e-7)
    u, v, w, x, y = pcr_row(text, "!       U")[:5]
    theta = np.radians(ANGLES / 2)
    gaussian = np.sqrt(u * np.tan(theta) ** 2 + v * np.tan(theta) + w)
    np.testing.assert_allclose(total(gaussian, x * np.tan(theta) + y / np.cos(theta)), expected(fit), rtol=0.01)
    job = pcr_row(text, "!Job")
    assert (job[0], job[1]) == (1, 7)
    assert pcr_row(text, "!Nat")[6] == 2
    assert pcr_row(text, "! Lambda1")[:3] == [1.5403, 1.5444, 0.5]
    zero, _, displacement = pcr_row(text, "!  Zero")[:3]
    assert (zero, displacement) == pytest.approx((start.fit.zero, 0.02), abs=1e-5)
    assert "R -3 c" in text
    assert "corundum.xye" in text
    assert "/data" not in text
    points = int(job[3])
    rows = np.array([pcr_row(text, "!2Theta", k) for k in range(1, points + 1)])
    np.testing.assert_allclose(rows[:, 1], np.interp(rows[:, 0], fit.pattern.two_theta, fit.background), rtol=1e-3)


def test_topas_has_the_cell_the_widths_and_le_bail(start, fit):
    text = topas_text(start)
    numbers = dict(re.findall(r"!?pk(\w), (-?[\d.]+)", text))
    u, v, w, x, y = (float(numbers[name]) for name in "uvwxy")
    assert list(numbers) == list("uvwzxy")
    theta = np.radians(ANGLES / 2)
    gaussian = np.sqrt(u * np.tan(theta) ** 2 + v * np.tan(theta) + w)
    np.testing.assert_allclose(total(gaussian, x * np.tan(theta) + y / np.cos(theta)), expected(fit), rtol=0.01)
    a, c = (float(re.search(rf"^ +{name} @ ([\d.]+)$", text, re.M).group(1)) for name in "ac")
    assert (a, c) == pytest.approx((fit.lattice.cell.a, fit.lattice.cell.c), abs=6e-7)
    for line in ("b = Get(a);", "ga 120.000000", "lebail 1", 'space_group "R-3c:H"', 'xdd "corundum.xye" xye_format'):
        assert line in text
    assert re.findall(r"la (\S+) lo (\S+)", text) == [("1", "1.5403"), ("0.5", "1.5444")]


def test_a_lorentzian_of_small_crystallites_is_kept(fit):
    broad = replace(fit, size=0.2, strain=0.1, mixing=(0.0, 0.0))
    law = thompson_law(broad)
    assert law[3:] == pytest.approx((0.2, 0.1), abs=2e-3)
    assert law[:3] == pytest.approx(fit.caglioti, rel=0.02, abs=1e-4)


@pytest.mark.parametrize(
    ("bravais", "number", "true", "basis"),
    [
        ("oP", 62, (11.2, 5.3, 7.9, 90, 90, 90), [[0, 1, 0], [0, 0, 1], [1, 0, 0]]),
        ("oC", 39, (4.7, 9.1, 6.3, 90, 90, 90), [[0, 1, 0], [0, 0, 1], [1, 0, 0]]),
        ("mP", 14, (6.0, 9.7, 9.1, 90, 118.0, 90), [[1, 0, 0], [0, 1, 0], [1, 0, 1]]),
    ],
)
def test_axes_are_named_as_the_standard_setting_wants_them(fit, bravais, number, true, basis):
    """A pattern of the group on its standard axes, indexed on other axes of the same lattice, comes back to them."""
    basis = np.array(basis)
    metric = gemmi.UnitCell(*true).metric_tensor().as_mat33().tolist()
    metric = basis @ np.array(metric) @ basis.T
    length = np.sqrt(np.diag(metric))
    angles = [math.degrees(math.acos(metric[i, j] / length[i] / length[j])) for i, j in ((1, 2), (0, 2), (0, 1))]
    cell = Cell(*length, *angles)
    found = predict_lines(cell, bravais, 0.9)
    standard = np.rint(found.hkl @ np.linalg.inv(basis).T).astype(np.int32)
    absent = np.asarray(space_group(number).operations().systematic_absences(standard), dtype=bool)
    assert 0.05 < absent.mean() < 0.6
    lines = np.arange(len(absent))
    wrong = replace(
        fit,
        lattice=Lattice(cell, bravais),
        cell_error=(1e-4, 2e-4, 3e-4, 0.0, 0.001 if bravais == "mP" else 0.0, 0.0),
        hkl=found.hkl,
        column=lines,
        area=np.where(absent, 0.0, 100.0),
        area_error=np.ones(len(absent)),
    )
    cell, error = standard_cell(wrong, number)
    np.testing.assert_allclose(cell.parameters, true, atol=1e-6)
    assert sum(e > 0 for e in error) == (4 if bravais == "mP" else 3)


def test_every_space_group_has_its_files(start):
    for number in SPACE_GROUPS:
        one = replace(start, group=space_group(number))
        small = gemmi.make_small_structure_from_block(gemmi.cif.read_string(cif_text(one)).sole_block())
        small.determine_and_set_spacegroup("s.h2")
        assert small.spacegroup.number == number
        assert one.group.hm in fullprof_text(one)
        assert "space_group" in topas_text(one)


def test_four_files_are_written_whole(start, tmp_path):
    written = write_start_files(tmp_path / "corundum", start)
    assert [path.name for path in written] == [f"corundum.start.{kind}" for kind in ("cif", "instprm", "pcr", "inp")]
    assert sorted(tmp_path.iterdir()) == sorted(written)
