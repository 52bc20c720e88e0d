"""Order parameters from the real hk1 plane of the paper's crystal, against Table 2 of Fuller & Rudden (2024).

python benchmarks/trisamide_order.py [--data ../shared/data/trisamide] [--weights factorize-256]

The measured plane is not shipped: no licence is stated for it. No number here is fitted to the table; the rule that
chooses the reach of I_FF was, however, settled after differences from the table had been seen. Pixels at the top of the
grey scale are censored. I_FF is taken as factorized, refined, known from the average structure with its displacement
ellipsoids, and known as `unscatter refine order --model-a` makes it: atoms at rest and one Debye-Waller factor.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import gemmi
import numpy as np
from trisamide_plane import DATA, read_measured_plane
from trisamide_torsion import ARMS, MIRROR

from unscatter.atoms import form_factors
from unscatter.diffuse.factorize.factorize import factorize
from unscatter.diffuse.refine.disorder_model import read_models
from unscatter.diffuse.refine.molecules import model_form_factor
from unscatter.diffuse.refine.order import refine_order
from unscatter.laue import laue_rotations, orbit
from unscatter.nouns.components import Components
from unscatter.nouns.order_fit import OrderFit
from unscatter.nouns.plane import Plane

#: Grey level at which the rendering saturates.
SATURATION = 226.0


def read_signed_plane(folder: Path) -> Plane:
    """The measured plane with its negative noise, saturated pixels at the level of saturation."""
    plane = read_measured_plane(folder)
    with np.load(folder / "hk1_measured_8bit.npz") as archive:
        signed, saturated = archive["intensity_signed"].astype(float), archive["saturated"]
    return replace(plane, intensity=np.where(saturated, SATURATION, np.minimum(signed, SATURATION - 1))[::-1])


def structure_form_factor(folder: Path, plane: Plane) -> np.ndarray:
    """|F_A - F_B|^2 on the plane from the average structure, displacement factors included."""
    block = gemmi.cif.read(str(folder / "trisamide_average.cif")).sole_block()
    structure = gemmi.make_small_structure_from_block(block)
    hkl = plane.axes.hkl()
    q = hkl @ plane.cell.reciprocal
    lengths = np.linalg.norm(plane.cell.reciprocal, axis=1) / (2 * np.pi)
    stol2 = np.sum(q**2, axis=-1) / (16 * np.pi**2)
    elements = sorted({site.element.name for site in structure.sites})
    table = form_factors(elements)
    atoms = {
        name: table.c[i] + sum(a * np.exp(-b * stol2) for a, b in zip(table.a[i], table.b[i], strict=True))
        for i, name in enumerate(elements)
    }
    six, mirror = np.array([[1, -1, 0], [1, 0, 0], [0, 0, 1]]), np.diag([1, 1, -1])
    total = np.zeros(hkl.shape[:2], dtype=complex)
    for site in structure.sites:
        u = site.aniso
        tensor = np.array([[u.u11, u.u12, u.u13], [u.u12, u.u22, u.u23], [u.u13, u.u23, u.u33]])
        for turn in range(6):
            rotation = np.linalg.matrix_power(six, turn)
            position = rotation @ np.array(site.fract.tolist()) + [0, 0, 0.5 * (turn % 2)]
            # B is A seen in the mirror z = 1/4.
            mirrored = mirror @ position + [0, 0, 0.5]
            for sign, operation, place in ((1, rotation, position), (-1, mirror @ rotation, mirrored)):
                if u.nonzero():
                    turned = (hkl @ operation) * lengths
                    damping = np.exp(-2 * np.pi**2 * np.einsum("yxi,ij,yxj->yx", turned, tensor, turned))
                else:
                    damping = np.exp(-8 * np.pi**2 * site.u_iso * stol2)
                total += sign * atoms[site.element.name] * damping * np.exp(2j * np.pi * (hkl @ place))
    return np.abs(total) ** 2


def read_table(folder: Path) -> dict[tuple[int, int, int], float]:
    """The Yell column of Table 2."""
    lines = (folder / "trisamide_paper_table2.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if line[:1].isdigit()]
    return {(int(u), int(v), int(w)): float(yell) for u, v, w, yell, *_ in rows}


def compare(name: str, fit: OrderFit, table: dict[tuple[int, int, int], float]) -> float:
    """Print the parameters beside the table; the other hand has (u, v) and (v, u) swapped."""
    rotations = laue_rotations("6/m")
    place = {tuple(v): i for i, vector in enumerate(fit.vectors) for v in orbit(vector, rotations).tolist()}
    index = [place[vector] for vector in table]
    other = [place[v, u, w] for u, v, w in table]
    yell = np.array(list(table.values()))
    rms = float(np.sqrt(np.mean((fit.alpha[index] - yell) ** 2)))
    swapped = float(np.sqrt(np.mean((fit.alpha[other] - yell) ** 2)))
    pull = (fit.alpha[index] - yell) / fit.standard_error[index]
    print(f"{name}: rms difference from Yell {rms:.4f} (other hand {swapped:.4f}), wrong signs "
          f"{np.sum(np.sign(fit.alpha[index]) != np.sign(yell))}, rms of difference / s.u. "
          f"{np.sqrt(np.mean(pull**2)):.2f}, {fit.provenance['seconds']} s")  # fmt: skip
    for vector, i, value in zip(table, index, yell, strict=True):
        print(f"  {vector!s:<10} {fit.alpha[i]:+.4f} +- {fit.standard_error[i]:.4f}   Yell {value:+.4f}")
    return rms


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--weights", default="factorize-256")
    options = parser.parse_args()
    if not options.data.is_dir():
        print(f"skipped: {options.data} is not there; give the folder of hk1_measured_8bit.npz with --data")
        return
    table = read_table(options.data)
    found: Components = factorize(read_measured_plane(options.data), options.weights)
    components = replace(found, plane=read_signed_plane(options.data))
    known = structure_form_factor(options.data, components.plane)
    compare("I_SRO as factorized", refine_order(found, against="order", laue="6/m"), table)
    compare("blind, network and lattice", refine_order(components, laue="6/m", saturation=SATURATION), table)
    (model,) = read_models([str(options.data / "trisamide_average.cif")], [MIRROR], ARMS)
    rigid = model_form_factor(components, model, saturated=SATURATION)
    for name, form in (("structure known", known), ("structure known, atoms at rest and one D_w", rigid)):
        fit = refine_order(components, against="form-factor", form_factors=[form], laue="6/m", saturation=SATURATION)
        compare(name, fit, table)


if __name__ == "__main__":
    main()
