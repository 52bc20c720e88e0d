"""A model of a binary disorder: molecule A, molecule B (or a vacancy, or A after an operation), and their copies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from unscatter.diffuse.crystal.geometry import Operation, complete_molecule, generate_operations, parse_operation
from unscatter.diffuse.crystal.motions import Motion, Torsion, Which
from unscatter.diffuse.plane.forward import AtomPair, atom_pair
from unscatter.io.structures.molecules import read_molecule
from unscatter.nouns.cell import Cell
from unscatter.nouns.molecule import Molecule

#: A motion and by how much, in its unit.
Move = tuple[Motion, float]


@dataclass(frozen=True)
class DisorderModel:
    """What occupies a site: A, or B.

    b: a molecule; an operation that makes B of A, such as the mirror x,y,1/2-z; or None, a vacancy.
    generators: operations whose products complete what is listed to the whole of what is disordered together (the
    arms of a molecule, the molecules of a column). Groups turn in what is listed, before it is completed, so all
    copies turn alike. Source: eq. (1) and (2), Fuller & Rudden 2024.
    """

    a: Molecule
    b: Molecule | Operation | None = None
    generators: tuple[Operation, ...] = ()
    name: str = ""

    def molecules(self, cell: Cell, moves: Iterable[Move] = ()) -> tuple[Molecule, Molecule | None]:
        """A and B as they scatter, complete and moved; a motion of both carries B along where B is made of A.

        Raises ValueError for a bond that A does not have.
        """
        moves = tuple(moves)
        a = _whole(self._complete(self.a, cell, moves, "A"), cell, moves, (None, "A"))
        if self.b is None:
            return a, None
        if isinstance(self.b, Operation):
            made = _whole(self._complete(self.a, cell, moves, "B"), cell, moves, (None,))
            b = replace(made, positions=self.b.apply(made.positions, cell))
            return a, _whole(b, cell, moves, ("B",))
        return a, _whole(self._complete(self.b, cell, moves, "B"), cell, moves, (None, "B"))

    def pair(self, cell: Cell, moves: Iterable[Move] = (), neutrons: bool = False) -> AtomPair:
        """The atoms of A and B, ready for eq. (2)."""
        return atom_pair(*self.molecules(cell, moves), "neutron" if neutrons else "x-ray")

    def require_unbroken(self, motion: Motion, cell: Cell) -> None:
        """Raise ValueError where a turn tears bonds, such as one of a ring that symmetry alone closes."""
        if not isinstance(motion, Torsion):
            return
        for molecule in (self.a, self.b):
            if isinstance(molecule, Molecule) and (molecule is self.a or motion.fits(molecule)):
                motion.require_unbroken(molecule, self._complete(molecule, cell, (), None))

    def _complete(self, molecule: Molecule, cell: Cell, moves: tuple[Move, ...], own: Which) -> Molecule:
        for motion, amount in moves:
            if not isinstance(motion, Torsion) or motion.which not in (None, own):
                continue
            # A bond that both are to turn about may be missing in a B of its own.
            if motion.which is None and molecule is self.b and not motion.fits(molecule):
                continue
            molecule = motion.move(molecule, cell, amount)
        if not self.generators:
            return molecule
        return complete_molecule(molecule, generate_operations(self.generators), cell)


def _whole(molecule: Molecule, cell: Cell, moves: tuple[Move, ...], which: tuple[Which, ...]) -> Molecule:
    """Turn and shift a complete molecule."""
    for motion, amount in moves:
        if not isinstance(motion, Torsion) and motion.which in which:
            molecule = motion.move(molecule, cell, amount)
    return molecule


def read_models(
    model_a: Sequence[str], model_b: Sequence[str] = ("vacancy",), generators: Sequence[str] = ()
) -> tuple[DisorderModel, ...]:
    """Read one model for each A: a file, or file.cif#2 for its disorder group 2.

    model_b: one for all A, or one for each: a file, "vacancy", or an operation that makes B of A. generators:
    operations as text, such as "-y,x-y,z". Raises FileNotFoundError, or ValueError where the numbers of A and B do
    not match or a text is neither a file nor an operation.
    """
    if len(model_b) not in (1, len(model_a)):
        raise ValueError(f"{len(model_a)} models A and {len(model_b)} of B: give one B, or one for each A")
    operations = tuple(map(parse_operation, generators))
    partners = list(model_b) * (len(model_a) if len(model_b) == 1 else 1)
    pairs = list(zip(model_a, partners, strict=True))
    for shorten in (_file_name, str):
        names = [shorten(a) if len(set(model_b)) == 1 else f"{shorten(a)} | {shorten(b)}" for a, b in pairs]
        if len(set(names)) == len(names):
            break
    else:
        raise ValueError(f"the same model twice among {', '.join(names)}; name each once")
    return tuple(
        DisorderModel(_read(a), _partner(b), operations, name) for (a, b), name in zip(pairs, names, strict=True)
    )


def _file_name(text: str) -> str:
    return re.split(r"[/\\]", text)[-1] if text.count(",") != 2 else text


def _partner(text: str) -> Molecule | Operation | None:
    if text.strip().lower() == "vacancy":
        return None
    return parse_operation(text) if text.count(",") == 2 else _read(text)


def _read(text: str) -> Molecule:
    """Read a file, or the part of a CIF named after #."""
    path, _, part = text.rpartition("#")
    if path and part.isdigit():
        return read_molecule(Path(path), int(part))
    return read_molecule(Path(text))
