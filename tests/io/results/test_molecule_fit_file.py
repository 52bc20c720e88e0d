"""A fit of molecules comes back from its file as it was, and its file is one of components too."""

import numpy as np
import pytest

import unscatter
from unscatter.diffuse.demonstration import CELL
from unscatter.diffuse.plane.planes import axis_plane
from unscatter.io.results.components import read_components, write_components
from unscatter.io.results.molecule_fit import read_molecule_fit, write_molecule_fit
from unscatter.nouns.components import Components
from unscatter.nouns.findings import Finding, Findings
from unscatter.nouns.molecule_fit import MoleculeFit, MotionScan
from unscatter.nouns.plane import Plane


@pytest.fixture(scope="module")
def fit():
    rng = np.random.default_rng(0)
    form = rng.uniform(1, 2, (12, 14))
    axes = axis_plane(CELL, normal=2, level=1.0, q_max=5.0, pixels=14)
    axes = type(axes)(axes.origin, axes.u, axes.v, axes.x, axes.y[:12])
    plane = Plane(np.where(form > 1.9, np.nan, form), axes, CELL, "hk1", source="made up", notes=("a note",))
    scan = MotionScan("B:[0 0 1]", "Angstrom", *rng.uniform(0, 1, (5, 7)))
    return MoleculeFit(
        name="a and its mirror image",
        against="form-factor",
        names=("B:[0 0 1]", "D_w", "scale", "background"),
        units=("Angstrom", "Angstrom^2", "", ""),
        values=rng.uniform(0, 1, 4),
        standard_error=np.array([0.1, np.nan, 0.3, 1 / 3]),
        plain_error=rng.uniform(0, 1, 4),
        correlation=rng.uniform(-1, 1, (4, 4)),
        mse=1 / 7,
        r_factor=0.25,
        weighted_r=0.1,
        pixels=150,
        independent=33.3,
        correlation_radius=0.07,
        components=Components(plane, form, np.ones_like(form), {"lattice": "given"}),
        calculated=rng.uniform(0, 1, form.shape),
        used=form < 1.5,
        scans=(scan,),
        notes=("D_w is at its limit",),
        provenance={"job": "refine molecules", "options": {"model_a": ["a.cif"]}},
        findings=Findings(
            (Finding("fit", 0.3, 0.2, 0.4, "so so"), Finding("motion", None, 1.0, 2.0, "?")), "model", "c"
        ),
    )


def test_a_fit_comes_back_exactly(fit, tmp_path):
    write_molecule_fit(tmp_path / "f.molecules.h5", fit)
    back = read_molecule_fit(tmp_path / "f.molecules.h5")
    assert back == fit
    assert back.provenance == fit.provenance
    assert back.table().text() == fit.table().text()
    assert back.scans[0].minima == fit.scans[0].minima
    assert unscatter.read_molecule_fit is read_molecule_fit


def test_the_file_of_a_fit_is_one_of_components_too(fit, tmp_path):
    write_molecule_fit(tmp_path / "f.molecules.h5", fit)
    assert read_components(tmp_path / "f.molecules.h5") == fit.components


def test_a_file_without_a_fit_says_what_is_expected(fit, tmp_path):
    write_components(tmp_path / "f.h5", fit.components)
    (tmp_path / "t.txt").write_text("no")
    for name in ("f.h5", "t.txt"):
        with pytest.raises(ValueError, match=r"expected NAME\.molecules\.h5 of unscatter refine molecules"):
            read_molecule_fit(tmp_path / name)
