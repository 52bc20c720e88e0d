"""The demonstration plane: a simulated hk1 plane of a well-studied crystal, with the flaws of a measurement.

Tris-tert-butyl-1,3,5-benzene tricarboxamide forms columns of molecules in one of two orientations. Structure after
Kristiansen et al., Cryst. Growth Des. 9, 2556 (2009); order parameters from Table 2 of Fuller & Rudden, IUCrJ 11,
34 (2024), CC BY 4.0.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import as_file, files

import numpy as np
from numpy.typing import NDArray

from unscatter.diffuse.plane.forward import (
    atom_pair,
    diffuse_scattering,
    molecular_form_factor,
    order_waves,
    q_squared,
    scattering_plane,
    short_range_order,
)
from unscatter.diffuse.plane.planes import axis_plane
from unscatter.diffuse.samples.artefacts import add_counting_noise, debye_waller
from unscatter.diffuse.samples.scan import BeamStop, RotationScan, plane_measured_by_scan, read_detectors
from unscatter.io.structures.molecules import read_molecule
from unscatter.nouns.cell import Cell
from unscatter.nouns.components import Components
from unscatter.nouns.molecule import Molecule
from unscatter.nouns.order import OrderParameters
from unscatter.nouns.plane import Plane

CELL = Cell(14.12, 14.12, 6.93, 90, 90, 120)
TITLE = "hk1 of tris-tert-butyl-1,3,5-benzene tricarboxamide (simulated)"
#: D_w of eq. (13) in Angstrom^2, mean counts a pixel, and the reach of the plane in 1/Angstrom.
DEBYE_WALLER, MEAN_COUNTS, Q_MAX = 0.06, 25.0, 5.0


def trisamide_columns() -> tuple[Molecule, Molecule]:
    """The two orientations of a column: A as published, B its mirror image in the plane z = c / 4."""
    with as_file(files("unscatter.data").joinpath("demo", "trisamide.xyz")) as path:
        a = read_molecule(path)
    mirrored = a.positions * [1, 1, -1] + [0, 0, CELL.c / 2]
    return replace(a, name="column A"), replace(a, name="column B", positions=mirrored)


def trisamide_order() -> OrderParameters:
    """The published order parameters of Table 2 (Yell), each with its six symmetry equivalents."""
    text = files("unscatter.data").joinpath("demo", "trisamide_order.tsv").read_text(encoding="utf-8")
    rows = [line.split() for line in text.splitlines() if line[:1].isdigit()]
    vectors, alphas = [(0, 0, 0)], [1.0]
    for u, v, w, alpha, *_ in rows:
        vector = (int(u), int(v), int(w))
        # Half of the orbit of the six-fold axis; I_SRO counts v and -v.
        for _ in range(3):
            vectors.append(vector)
            alphas.append(float(alpha))
            vector = (vector[0] - vector[1], vector[0], vector[2])
    return OrderParameters(np.array(vectors), np.array(alphas), 0.5)


def simulate_demonstration(pixels: int = 401, seed: int = 2024) -> Components:
    """The plane as a PILATUS detector would see it, with the true I_FF and I_SRO behind it.

    Returns Components whose `plane` is the spoiled measurement; everything in it is simulated.
    """
    axes = axis_plane(CELL, normal=2, level=1.0, q_max=Q_MAX, pixels=pixels)
    order = trisamide_order()
    plane = scattering_plane(axes, CELL)
    form = molecular_form_factor(atom_pair(*trisamide_columns()), plane, order.concentration)
    form = form * debye_waller(q_squared(plane), DEBYE_WALLER)
    ordered = short_range_order(order_waves(order, axes), axes.x, axes.y)
    normal = np.random.default_rng(seed).standard_normal(axes.shape)
    counts = add_counting_noise(diffuse_scattering(form, ordered), MEAN_COUNTS, normal)
    counts = counts * MEAN_COUNTS / counts.mean()
    scale = MEAN_COUNTS / float((form * ordered).mean())
    intensity = np.where(_seen_by_detector(plane.origin, plane.u, plane.v, axes.x, axes.y), counts, np.nan)
    measured = Plane(intensity, axes, CELL, title=TITLE, simulated=True, source="demonstration")
    return Components(measured, form * scale, ordered, {"program": "unscatter", "truth": True})


def _seen_by_detector(
    origin: NDArray[np.float64],
    u: NDArray[np.float64],
    v: NDArray[np.float64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """A PILATUS 2M behind a crystal turning about an axis tilted 20 degrees from c."""
    detector = next(d for name, d in read_detectors().items() if "PILATUS" in name and "2M" in name)
    tilt = np.radians(20.0)
    orientation = (
        (1.0, 0.0, 0.0),
        (0.0, float(np.cos(tilt)), float(-np.sin(tilt))),
        (0.0, float(np.sin(tilt)), float(np.cos(tilt))),
    )
    scan = RotationScan(
        detector, distance=165.0, wavelength=0.7, orientation=orientation, beam_stop=BeamStop(radius=2.0)
    )
    return np.asarray(plane_measured_by_scan(origin, u, v, x, y, scan))
