"""Supercells for other programs: P1 CIF, a DISCUS structure, a Yell model; and tables of alphas to draw one from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.io.files import replacing, require_file
from unscatter.io.hdf5 import is_hdf5
from unscatter.io.results.alpha_table import read_alpha_table
from unscatter.io.results.order_tables import read_order_record
from unscatter.io.results.provenance import COMMENT
from unscatter.io.text.decode import decode
from unscatter.nouns.molecule import Molecule
from unscatter.nouns.order import OrderTargets
from unscatter.nouns.supercell import Supercell

#: What stands for A and B where no molecules are given: an alloy, so that viewers tell them apart.
PLACEHOLDERS = (Molecule("A", ("Au",), np.zeros((1, 3))), Molecule("B", ("Cu",), np.zeros((1, 3))))
#: Larger files than this no viewer opens.
MOST_ATOMS = 400_000
#: Laue classes whose axes leave no choice; for any other the vectors are written out.
YELL_CLASSES = ("-1", "mmm", "4/m", "4/mmm", "6/m", "6/mmm", "m-3", "m-3m")
#: Isotropic displacement in Angstrom^2 that the Yell model starts from.
YELL_U = 0.03


def read_targets(path: str | Path, laue: str | None = None) -> OrderTargets:
    """Read alphas from a result that `unscatter refine order` went over, or from a CSV or JSON table.

    A table has the columns u, v, w, alpha and, if known, standard_error (or esd, sigma, error; or in brackets behind
    alpha), parted by commas, semicolons, tabs or blanks; JSON holds them as a list `parameters` and may name the Laue
    class as `laue`. laue: the class to use instead; -1 where none is known. Raises ValueError for a
    file without alphas, FileNotFoundError for none.
    """
    path = require_file(path)
    if is_hdf5(path):
        record: Mapping[str, Any] = read_order_record(path)
    else:
        text = decode(path.read_bytes())
        record = json.loads(text) if text.lstrip().startswith("{") else {}
    try:
        record = record or {"parameters": read_alpha_table(text)}
        rows = list(record["parameters"])
        vectors = [[int(row[letter]) for letter in "uvw"] for row in rows]
        alpha = [float(row["alpha"]) for row in rows]
        error = [float(row.get("standard_error") or 0.0) for row in rows]
        return OrderTargets(np.array(vectors), np.array(alpha), np.array(error), laue or str(record.get("laue", "-1")))
    except (KeyError, TypeError) as wrong:
        raise ValueError(f"{path}: no column {wrong} in the table of alphas; expected u, v, w, alpha") from wrong
    except ValueError as wrong:
        raise ValueError(f"{path}: {wrong}") from wrong


# --- Writers ------------------------------------------------------------------------------------------------------


def write_cif(path: str | Path, supercell: Supercell, a: Molecule = PLACEHOLDERS[0], b: Molecule | None = None) -> None:
    """Write the first box as a CIF in P1: every atom, cell edges times the box. b = None is a vacancy.

    Raises ValueError for more than MOST_ATOMS atoms.
    """
    box, cell = np.array(supercell.box), supercell.cell
    lengths = np.array([cell.a, cell.b, cell.c]) * box
    lines = [
        *_about(supercell, a, b),
        "data_supercell",
        *(f"_cell_length_{name} {value:.6g}" for name, value in zip("abc", lengths, strict=True)),
        *(f"_cell_angle_{name} {getattr(cell, name):.6g}" for name in ("alpha", "beta", "gamma")),
        "_space_group_name_H-M_alt 'P 1'",
        "_space_group_IT_number 1",
        "loop_",
        "_space_group_symop_operation_xyz",
        "x,y,z",
        "loop_",
        "_atom_site_label",
        "_atom_site_type_symbol",
        "_atom_site_fract_x",
        "_atom_site_fract_y",
        "_atom_site_fract_z",
        "_atom_site_occupancy",
    ]
    atoms = _atoms(supercell, a, b)
    lines += [
        f"{element}{number} {element} {x:.6f} {y:.6f} {z:.6f} 1"
        for number, (element, (x, y, z)) in enumerate(((e, p / box) for e, p in atoms), 1)
    ]
    _write(path, lines)


def write_discus(
    path: str | Path, supercell: Supercell, a: Molecule = PLACEHOLDERS[0], b: Molecule | None = None
) -> None:
    """Write the first box as a DISCUS structure: P1, positions in unit cells, equally many atoms in each cell.

    The smaller species is filled up with VOID, because DISCUS counts cells by their atoms. Raises ValueError for more
    than MOST_ATOMS atoms.
    """
    cell = supercell.cell
    sizes = [0 if one is None else len(one.elements) for one in (a, b)]
    lines = [
        f"title {'; '.join(_about(supercell, a, b, provenance=False)).replace('# ', '')}",
        "spcgr   P1",
        "cell    " + ", ".join(f"{value:.6f}" for value in cell.parameters),
        "ncell   " + ", ".join(str(n) for n in (*supercell.box, max(sizes))),
        "atoms",
    ]
    lines += [
        f"{element.upper():<4} {x:14.8f}, {y:14.8f}, {z:14.8f}, {0.0:8.4f}"
        for element, (x, y, z) in _atoms(supercell, a, b, fill="void")
    ]
    _write(path, lines)


def write_yell(
    path: str | Path,
    supercell: Supercell,
    a: Molecule = PLACEHOLDERS[0],
    b: Molecule | None = None,
    reach: tuple[float, float, float] = (8.0, 8.0, 8.0),
) -> None:
    """Write a model for Yell: a variant of A and B and the joint probabilities P_AA = m^2 + m (1 - m) alpha.

    The alphas are the refined ones, not those of the box. reach: largest |h|, |k|, |l| of the grid. Displacements and
    the scale are starting values. A Laue class that depends on the setting is written out as -1.
    """
    targets, m, cell = supercell.targets, supercell.concentration, supercell.cell
    laue = targets.laue if targets.laue in YELL_CLASSES else "-1"
    if laue != targets.laue:
        vectors, number = targets.half_space
        pairs = [(vector, 2, targets.alpha[n]) for vector, n in zip(vectors, number, strict=True)]
    else:
        pairs = list(zip(targets.vectors, map(len, targets.members), targets.alpha, strict=True))
    flat = np.all(np.concatenate(targets.members) == 0, axis=0)
    half = [max(int(np.ceil(one)), 1) for one in reach]
    steps = [1.0 if one else 0.1 for one in flat]
    counts = [round(2 * h / step) for h, step in zip(half, steps, strict=True)]
    lines = [
        *_about(supercell, a, b),
        "Cell " + " ".join(f"{value:g}" for value in cell.parameters),
        f"LaueSymmetry {laue}",
        f"DiffuseScatteringGrid {' '.join(f'-{h}' for h in half)} {' '.join(f'{step:g}' for step in steps)} "
        f"{' '.join(map(str, counts))}",
        "",
        "CalculationMethod exact",
        "Refine false",
        "Scale 1",
        "",
        "UnitCell",
        "[",
        "  Var = Variant[",
        f"    (p={m:.8g}) {_yell_unit('A', a, supercell)}",
        f"    (p={1 - m:.8g}) {_yell_unit('B', b, supercell)}",
        "  ]",
        "]",
        "",
        "Modes[ ]",
        "",
        "Correlations",
        "[",
        f"  [(0,0,0) Multiplicity 1 SubstitutionalCorrelation(Var,Var,{m:.8g})]",
    ]
    lines += [
        f"  [({','.join(str(int(c)) for c in vector)}) Multiplicity {count} "
        f"SubstitutionalCorrelation(Var,Var,{m**2 + m * (1 - m) * alpha:.8g})]"
        for vector, count, alpha in pairs
    ]
    _write(path, [*lines, "]"])


def _yell_unit(name: str, molecule: Molecule | None, supercell: Supercell) -> str:
    if molecule is None:
        return "Void"
    fractions = molecule.positions @ np.linalg.inv(supercell.cell.direct)
    atoms = [
        f"{element} 1 {x:.6f} {y:.6f} {z:.6f} {YELL_U:g}"
        for element, (x, y, z) in zip(molecule.elements, fractions, strict=True)
    ]
    return f"{name} = {atoms[0]}" if len(atoms) == 1 else "\n    ".join([f"{name} = [", *atoms, "]"])


def _about(supercell: Supercell, a: Molecule, b: Molecule | None, *, provenance: bool = True) -> list[str]:
    """Comment lines that every file starts with."""
    size = " x ".join(map(str, supercell.box))
    lines = [f"# unscatter supercell: {size} cells, {supercell.concentration:.4g} A"]
    if provenance and supercell.provenance:
        lines.append(f"{COMMENT}{json.dumps(supercell.provenance)}")
    if a is PLACEHOLDERS[0]:
        lines.append(f"# placeholders: A is {a.elements[0]}, B is {'nothing' if b is None else b.elements[0]}")
    return lines


def _atoms(
    supercell: Supercell, a: Molecule, b: Molecule | None, fill: str = ""
) -> Iterable[tuple[str, NDArray[np.float64]]]:
    """Element and position in unit cells of every atom of the first box; fill: name of atoms that complete a cell.

    Raises ValueError for more atoms than a file should have.
    """
    inverse = np.linalg.inv(supercell.cell.direct)
    contents = []
    for one in (b, a):
        elements = [] if one is None else list(one.elements)
        contents.append((elements, np.zeros((0, 3)) if one is None else one.positions @ inverse))
    largest = max(len(elements) for elements, _ in contents)
    if fill:
        contents = [
            ([*elements, *[fill] * (largest - len(elements))], np.pad(at, ((0, largest - len(at)), (0, 0))))
            for elements, at in contents
        ]
    first = supercell.occupied[0]
    count = sum(len(contents[kind][0]) * int(np.sum(first == kind)) for kind in (0, 1))
    if count > MOST_ATOMS:
        raise ValueError(
            f"the box would hold {count} atoms, more than {MOST_ATOMS}; draw a smaller one with --box, such as "
            "--box 12 12 1, or leave out --model-a and --model-b"
        )
    return (
        (element, place + index)
        for index in np.ndindex(first.shape)
        for element, place in zip(*contents[int(first[index])], strict=True)
    )


def _write(path: str | Path, lines: Iterable[str]) -> None:
    with replacing(path) as part:
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")
