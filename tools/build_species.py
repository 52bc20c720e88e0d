"""Build src/unscatter/data/species.sdf, the species of Fuller & Rudden (2024), from tools/species.csv.

    pip install "unscatter[species]"
    python tools/build_species.py

The table gives what was published: name, split, shape class, cell edges, largest interatomic distance
(Angstrom) and composition; one published entry, Nitrate_R, is damaged (four oxygens) and is nitrate here.
Coordinates are built anew: from SMILES by distance geometry (ETKDG) and the MMFF94 force field, or as an
ideal shape scaled to the published distance. Of the conformers nearest that distance the most stable is kept;
it must be met within the tolerance of the table: 0.2 Angstrom, but 0.4 for tert-butanol, whose published
4.71 no relaxed conformer reaches. Where a name leaves the isomer open (Methylimidazole, Dithiolane,
Methylquinolinol, MethylIndole, Methylbenzoxazine), the isomer was chosen by the same distance.

The published orientation is not known. Here the long axis of group 1 and the plane normal of groups 2 and 3
lie along b (y), as their cells suggest. An entry `_R` is the same molecule, to be rotated at random whenever
it is drawn: the file holds it unrotated.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import AllChem
from scipy.spatial.distance import pdist

TABLE = Path(__file__).with_name("species.csv")
OUTPUT = Path(__file__).parents[1] / "src" / "unscatter" / "data" / "species.sdf"
SEED = 20240712
CONFORMERS = 24
OH_BOND = 0.96  # Angstrom
ALIKE = 0.06  # Angstrom: conformers whose largest distances differ by less fit alike
#: Where the largest, middle and smallest principal axis of a shape class go (x, y, z = 0, 1, 2).
FRAMES = {0: (0, 1, 2), 1: (1, 0, 2), 2: (0, 2, 1), 3: (0, 2, 1)}


@dataclass(frozen=True)
class Row:
    """One line of the table; lengths in Angstrom."""

    name: str
    split: str
    group: int
    cell: tuple[float, float, float]
    source: str
    distance: float
    tolerance: float
    composition: str


def read_table() -> Iterator[Row]:
    with TABLE.open(newline="") as file:
        for line in csv.DictReader(file):
            yield Row(
                name=line["name"],
                split=line["split"],
                group=int(line["group"]),
                cell=(float(line["a"]), float(line["b"]), float(line["c"])),
                source=line["source"],
                distance=float(line["distance"]),
                tolerance=float(line["tolerance"]),
                composition=line["composition"],
            )


def build(row: Row) -> Chem.Mol:
    """Molecule with one conformer, hydrogens included, centred at its centroid."""
    if row.source.startswith("ideal:"):
        return build_ideal(row)
    return build_from_smiles(row)


# --- ideal shapes ---


def build_ideal(row: Row) -> Chem.Mol:
    shape, *elements = row.source.removeprefix("ideal:").split()
    ligands = ligand_positions(shape, row)
    if shape == "atom":
        return assemble(elements, np.zeros((1, 3)))
    if shape == "vacancy":
        # Protons of a hydrogarnet-like defect sit inside the empty octahedron.
        radius = row.distance / 2
        protons = ligands * (radius - OH_BOND) / radius
        return assemble([elements[0]] * 6 + [elements[1]] * 6, np.vstack([ligands, protons]))
    centre, ligand = elements
    return assemble([centre] + [ligand] * len(ligands), np.vstack([np.zeros(3), ligands]))


def ligand_positions(shape: str, row: Row) -> NDArray[np.float64]:
    """Ligands around the origin, (n, 3), the farthest two `row.distance` apart."""
    axes = np.vstack([np.eye(3), -np.eye(3)])
    if shape == "atom":
        return np.zeros((0, 3))
    if shape == "elongated":
        return axes * np.array([row.cell[0], row.distance, row.cell[2]]) / 2
    turns = 2 * np.pi * np.arange(3) / 3
    directions = {
        "tetrahedron": np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], dtype=float),
        "triangle": np.stack([np.cos(turns), np.zeros(3), np.sin(turns)], axis=1),
        "octahedron": axes,
        "vacancy": axes,
        "square": axes[axes[:, 1] == 0],
    }[shape]
    return directions * row.distance / pdist(directions).max()


def assemble(elements: list[str], positions: NDArray[np.float64]) -> Chem.Mol:
    """Atoms without bonds."""
    editable = Chem.RWMol()
    for element in elements:
        atom = Chem.Atom(element)
        atom.SetNoImplicit(True)
        editable.AddAtom(atom)
    return with_positions(editable.GetMol(), positions)


# --- molecules ---


def build_from_smiles(row: Row) -> Chem.Mol:
    molecule = Chem.AddHs(Chem.MolFromSmiles(row.source))
    conformers = relaxed_conformers(molecule)
    misfits = [abs(pdist(positions).max() - row.distance) for _, positions in conformers]
    # Among those that fit alike the stable one: a chair of dioxane, not a boat.
    fitting = [c for c, misfit in zip(conformers, misfits, strict=True) if misfit < min(misfits) + ALIKE]
    _, positions = min(fitting, key=lambda conformer: conformer[0])
    heavy = np.array([atom.GetAtomicNum() > 1 for atom in molecule.GetAtoms()])
    return with_positions(molecule, orient(positions, heavy, row.group))


def relaxed_conformers(molecule: Chem.Mol) -> list[tuple[float, NDArray[np.float64]]]:
    """Energy (kcal/mol) and positions (n, 3) of each conformer."""
    ids = list(AllChem.EmbedMultipleConfs(molecule, CONFORMERS, randomSeed=SEED))
    relax = (
        AllChem.MMFFOptimizeMoleculeConfs
        if AllChem.MMFFHasAllMoleculeParams(molecule)
        else AllChem.UFFOptimizeMoleculeConfs
    )
    results = relax(molecule, maxIters=5000)
    if not results or any(unfinished for unfinished, _ in results):
        raise RuntimeError(f"{Chem.MolToSmiles(molecule)}: a conformer was not found or did not converge")
    return [(energy, molecule.GetConformer(i).GetPositions()) for i, (_, energy) in zip(ids, results, strict=True)]


def orient(positions: NDArray[np.float64], heavy: NDArray[np.bool_], group: int) -> NDArray[np.float64]:
    """Put the centroid at the origin and the principal axes along x, y, z as the shape class asks."""
    # The axial hydrogens of a saturated ring would hide its plane; water has no other atoms to go by.
    skeleton = positions[heavy] if heavy.sum() > 2 else positions
    principal = np.linalg.svd(skeleton - skeleton.mean(axis=0))[2]
    frame = np.empty((3, 3))
    frame[list(FRAMES[group])] = principal
    if np.linalg.det(frame) < 0:
        frame[2] *= -1  # a mirror image would be another molecule
    return (positions - positions.mean(axis=0)) @ frame.T


# --- checks and output ---


def with_positions(molecule: Chem.Mol, positions: NDArray[np.float64]) -> Chem.Mol:
    conformer = Chem.Conformer(len(positions))
    # Adding zero turns -0.0 into 0.0: no "-0.0000" in the file.
    conformer.SetPositions(np.round(positions, 4) + 0.0)
    molecule.RemoveAllConformers()
    molecule.AddConformer(conformer, assignId=True)
    return molecule


def composition(molecule: Chem.Mol) -> str:
    counts = Counter(atom.GetSymbol() for atom in molecule.GetAtoms())
    return " ".join(f"{element}{counts[element]}" for element in sorted(counts))


def largest_distance(molecule: Chem.Mol) -> float:
    """Angstrom; 0 for a single atom."""
    return float(pdist(molecule.GetConformer().GetPositions()).max(initial=0.0))


def check(row: Row, molecule: Chem.Mol) -> float:
    """Deviation of the largest interatomic distance from the published one, in Angstrom."""
    if (built := composition(molecule)) != row.composition:
        raise ValueError(f"{row.name}: {row.source} gives {built}, expected {row.composition}")
    deviation = largest_distance(molecule) - row.distance
    if abs(deviation) > row.tolerance:
        raise ValueError(f"{row.name}: largest distance is {deviation:+.2f} Angstrom off the published one")
    return deviation


def annotate(row: Row, molecule: Chem.Mol) -> Chem.Mol:
    properties = {
        "_Name": row.name,
        "NAME": row.name,
        "SPLIT": row.split,
        "GROUP": str(row.group),
        "CELL": " ".join(f"{edge:g}" for edge in row.cell),
        "ROTATED": "yes" if row.name.endswith("_R") else "no",
    }
    for key, value in properties.items():
        molecule.SetProp(key, value)
    return molecule


def main() -> None:
    with Chem.SDWriter(str(OUTPUT)) as writer:
        for row in read_table():
            molecule = build(row)
            deviation = check(row, molecule)
            writer.write(annotate(row, molecule))
            print(f"{row.name:26s} {row.composition:14s} {row.distance:5.2f} {deviation:+5.2f} Angstrom")


if __name__ == "__main__":
    main()
