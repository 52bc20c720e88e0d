"""Read structures from the Materials Project, with a key of one's own: by chemical system or by id.

The client is their mp-api (pip install 'unscatter[mp]'), imported when it is needed. Data: Jain et al., APL Mater. 1,
011002 (2013), CC BY 4.0.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.io.structures.crystal_symmetry import ask_spglib
from unscatter.io.structures.crystals import Report, warn_unreadable
from unscatter.io.structures.element_names import symbol
from unscatter.nouns.cell import Cell
from unscatter.nouns.crystal import Crystal

#: What a source from the Materials Project begins with: mp:Fe-O, or mp:mp-19770,mp-24972.
PREFIX = "mp:"
KEY = "MP_API_KEY"
#: Distance in Angstrom within which atoms count as equivalent, as on the pages of the Materials Project.
TOLERANCE = 0.1

_ID = re.compile(r"(mp|mvc)-[0-9a-z]+")
_SYSTEM = re.compile(r"([A-Z][a-z]?|\*)(-([A-Z][a-z]?|\*))*")
_WHERE = "https://materialsproject.org/api"


def read_materials_project(query: str, report: Report = warn_unreadable, client: Any = None) -> Iterator[Crystal]:
    """Structures of chemical systems ("Fe-O") or of ids ("mp-19770,mp-24972"), in their conventional cells, by id.

    Several are divided by commas. Symmetry is what spglib finds within 0.1 Angstrom. client: an open MPRester, or
    None for one with the key in the environment variable MP_API_KEY. What cannot be used, or has an id that is not
    known, is handed to `report` with the reason, and skipped. Raises ValueError where the query is neither, finds
    nothing or fails, where mp-api is missing, or the key.
    """
    wanted = [part.strip() for part in query.removeprefix(PREFIX).split(",") if part.strip()]
    criterion = _criterion(query, wanted)
    if client is None:
        with _open_client() as opened:
            documents = _search(opened, query, {criterion: wanted})
    else:
        documents = _search(client, query, {criterion: wanted})
    missing = set(wanted) - set(documents) if criterion == "material_ids" else set()
    for name in sorted(missing):
        report(name, "the Materials Project has no such id")
    for name, structure in sorted(documents.items()):
        try:
            crystal = _conventional(structure, name)
        except (ValueError, KeyError, IndexError, TypeError) as error:
            report(name, f"{error}" or type(error).__name__)
        else:
            yield crystal


def _criterion(query: str, wanted: list[str]) -> str:
    """Which argument of the search the parts of a query belong to."""
    for name, pattern in (("material_ids", _ID), ("chemsys", _SYSTEM)):
        if wanted and all(pattern.fullmatch(part) for part in wanted):
            return name
    raise ValueError(
        f"{query!r} names neither chemical systems nor ids of the Materials Project; type for example "
        f"{PREFIX}Fe-O or {PREFIX}mp-19770,mp-24972"
    )


def _open_client() -> Any:
    key = os.environ.get(KEY, "").strip()
    if not key:
        raise ValueError(f"the Materials Project asks for a key: get one at {_WHERE} and type: export {KEY}=YOUR_KEY")
    try:
        module = import_module("mp_api.client")
    except ImportError as error:
        raise ValueError("the Materials Project is read by mp-api; type: pip install 'unscatter[mp]'") from error
    # Plain dictionaries, since a document that breaks their model would take all others with it.
    return _asked(lambda: module.MPRester(key, use_document_model=False, mute_progress_bars=True))


def _search(client: Any, query: str, criteria: dict[str, list[str]]) -> dict[str, Any]:
    """Structures by id; raises ValueError where there are none."""
    fields = ["material_id", "structure"]
    documents = _asked(lambda: client.materials.summary.search(**criteria, all_fields=False, fields=fields))
    found = {str(_entry(document, "material_id")): _entry(document, "structure") for document in documents}
    if not found:
        raise ValueError(f"the Materials Project has nothing for {query!r}; look whether it is written as on its pages")
    return found


def _asked(question: Any) -> Any:
    """Answer of the client, whose errors are of many kinds and none that a command knows."""
    try:
        return question()
    except Exception as error:
        raise ValueError(
            f"the Materials Project gave no answer ({type(error).__name__}: {error}); check {KEY} and the network, "
            f"{_WHERE}"
        ) from error


def _entry(document: Any, name: str) -> Any:
    """Entry of a document, a dictionary or a model of theirs."""
    return document[name] if isinstance(document, Mapping) else getattr(document, name)


def _conventional(structure: Any, name: str) -> Crystal:
    """Crystal in the conventional cell of the symmetry that spglib finds; one atom of each orbit is kept.

    structure: of pymatgen, or as it writes it into a dictionary.
    """
    table = structure if isinstance(structure, Mapping) else structure.as_dict()
    contents = [_content(site) for site in table["sites"]]
    kinds = list(dict.fromkeys(contents))
    lattice = np.asarray(table["lattice"]["matrix"], dtype=np.float64)
    positions = np.asarray([site["abc"] for site in table["sites"]], dtype=np.float64)
    numbers = [kinds.index(content) for content in contents]
    found = _ask_symmetry((lattice, positions, numbers), name)
    # Asked again, spglib speaks of the conventional cell, where atoms now stand exactly on their sites.
    lattice, positions, numbers = found.std_lattice, found.std_positions, found.std_types.tolist()
    found = _ask_symmetry((lattice, positions, numbers), name)
    sites = [(k, *one) for k in np.unique(found.equivalent_atoms).tolist() for one in kinds[numbers[k]]]
    return Crystal(
        cell=_cell(lattice),
        elements=tuple(element for _, element, _ in sites),
        positions=np.array([positions[k] for k, _, _ in sites]),
        rotations=found.rotations.astype(np.int64),
        translations=found.translations.astype(np.float64),
        occupancies=np.array([share for _, _, share in sites]),
        space_group=int(found.number),
        name=name,
    )


def _ask_symmetry(cell: tuple[NDArray[np.float64], NDArray[np.float64], list[int]], name: str) -> Any:
    found = ask_spglib("get_symmetry_dataset", cell, symprec=TOLERANCE)
    if found is None:
        raise ValueError(f"{name}: spglib finds no symmetry within {TOLERANCE:g} Angstrom")
    return found


def _content(site: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
    """Elements on a site and their occupancies."""
    return tuple((symbol(str(kind["element"])), float(kind["occu"])) for kind in site["species"])


def _cell(lattice: NDArray[np.float64]) -> Cell:
    """Edges and angles of three vectors, the rows of a matrix in Angstrom."""
    edges = np.linalg.norm(lattice, axis=1)
    cosines = [lattice[i] @ lattice[j] / (edges[i] * edges[j]) for i, j in ((1, 2), (2, 0), (0, 1))]
    return Cell.from_sequence([*edges, *np.round(np.degrees(np.arccos(cosines)), 8)])
