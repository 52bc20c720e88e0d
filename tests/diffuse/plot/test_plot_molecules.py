"""What the picture of a model of the molecules shows."""

import numpy as np

from unscatter.diffuse.crystal.motions import parse_range, parse_rotation
from unscatter.diffuse.plane.forward import form_factor_difference, scattering_plane
from unscatter.diffuse.plane.planes import axis_plane
from unscatter.diffuse.plot.molecules import plot_molecules
from unscatter.diffuse.refine.disorder_model import DisorderModel
from unscatter.diffuse.refine.molecules import refine_molecules
from unscatter.io.results.picture import save_figure
from unscatter.nouns.cell import Cell
from unscatter.nouns.components import Components
from unscatter.nouns.molecule import Molecule
from unscatter.nouns.plane import Plane

CELL = Cell(6.0, 7.0, 8.0)
AXES = axis_plane(CELL, normal=2, level=0.0, q_max=5.0, pixels=40)
A = Molecule("A", ("C", "O"), np.array([[0.0, 0.0, 0.0], [1.2, 0.0, 0.0]]))


def fit(scanned: bool):
    model = DisorderModel(A, A, name="carbon monoxide")
    turn = parse_rotation("B:[0 0 1]")
    real, imaginary = form_factor_difference(model.pair(CELL, [(turn, 50.0)]), scattering_plane(AXES, CELL))
    form = real**2 + imaginary**2
    intensity = form.copy()
    intensity[:5] = np.nan
    data = Components(Plane(intensity, AXES, CELL, "made up", simulated=True), form, np.ones_like(form))
    scans = [(turn, parse_range("10:90:10"))] if scanned else []
    return refine_molecules(data, model if scanned else DisorderModel(A, None, name="vacancy"), scans)


def test_data_model_difference_and_scan_are_drawn():
    result = fit(scanned=True)
    figure = plot_molecules(result)
    titles = [axes.get_title() for axes in figure.axes]
    assert {"model", "data $-$ model"} <= set(titles)
    (curve,) = [axes for axes in figure.axes if axes.get_xlabel() == "B:[0 0 1] (deg)"]
    np.testing.assert_array_equal(
        curve.lines[0].get_xydata(), np.stack([np.arange(10, 91, 10), result.scans[0].mse], 1)
    )
    # The rows that were not measured are left grey in the data, and modelled all the same.
    observed, model = (axes.images[0].get_array() for axes in figure.axes[:2])
    assert np.ma.getmaskarray(np.ma.masked_invalid(observed))[:5].all()
    assert np.isfinite(model).all()
    assert figure.get_suptitle() == "made up (simulated): carbon monoxide"


def test_a_fit_without_scan_is_drawn_to_a_file(tmp_path):
    save_figure(plot_molecules(fit(scanned=False)), tmp_path / "fit.png")
    assert (tmp_path / "fit.png").read_bytes().startswith(b"\x89PNG")
