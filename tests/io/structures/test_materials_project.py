"""Structures of the Materials Project, as a client hands them out: no test asks the network."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from unscatter.cli import main
from unscatter.io.structures import materials_project
from unscatter.io.structures.crystal_symmetry import site_multiplicities
from unscatter.io.structures.materials_project import read_materials_project
from unscatter.nouns.cell import Cell
from unscatter.nouns.crystal import Crystal
from unscatter.powder.crystal.reflections import simulate_reflections
from unscatter.powder.samples.cache import read_reflection_cache
from unscatter.powder.samples.cache_writing import write_reflection_cache
from unscatter.symmetry import operations


def a_structure(vectors, *atoms):
    """As pymatgen writes a structure into a dictionary."""
    return {
        "lattice": {"matrix": np.asarray(vectors).tolist()},
        "sites": [{"species": list(kinds), "abc": list(place), "label": "x"} for kinds, place in atoms],
    }


def an_atom(element, *place, occu=1):
    return [{"element": element, "occu": occu}], place


# The primitive cell of rock salt, turned and a little untidy, as relaxed structures are.
FCC = 4.33 / 2 * np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0.0]])
ROCK_SALT = a_structure(FCC, an_atom("Fe", 0.0001, 0, 0), an_atom("O", 0.5, 0.5, 0.4999))
RUTILE = a_structure(
    np.diag([4.59, 4.59, 2.96]),
    *(an_atom("Ti", *place) for place in ([0, 0, 0], [0.5, 0.5, 0.5])),
    *(
        an_atom("O", *place)
        for place in ([0.305, 0.305, 0], [0.695, 0.695, 0], [0.195, 0.805, 0.5], [0.805, 0.195, 0.5])
    ),
)


class FakeClient:
    """Answers a search from a few documents and remembers what was asked."""

    def __init__(self, documents):
        self.documents, self.asked = documents, []
        self.materials = SimpleNamespace(summary=self)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def search(self, **criteria):
        self.asked.append(criteria)
        ids = criteria.get("material_ids")
        return [
            {"material_id": name, "structure": structure, "fields_not_requested": []}
            for name, structure in self.documents.items()
            if ids is None or name in ids
        ]


@pytest.fixture
def client():
    nonsense = a_structure(FCC, an_atom("Xx", 0, 0, 0))
    return FakeClient({"mp-3": RUTILE, "mp-1": ROCK_SALT, "mp-2": nonsense})


def test_a_primitive_cell_comes_as_the_conventional_one(client):
    (found,) = read_materials_project("mp-1", client=client)
    rotations, translations = operations(225)
    expected = Crystal(
        Cell(4.33, 4.33, 4.33), ("Fe", "O"), np.array([[0, 0, 0], [0.5, 0.5, 0.5]]), rotations, translations
    )
    assert (found.name, found.space_group, found.elements) == ("mp-1", 225, ("Fe", "O"))
    assert site_multiplicities(found).tolist() == [4, 4]
    np.testing.assert_allclose(found.cell.parameters, expected.cell.parameters, rtol=1e-6)
    lines, wanted = (simulate_reflections(crystal, 1.0, "neutron") for crystal in (found, expected))
    np.testing.assert_allclose(lines.inverse_d, wanted.inverse_d, rtol=1e-6)
    np.testing.assert_allclose(lines.f_squared, wanted.f_squared, rtol=1e-6)


def test_one_atom_of_each_orbit_is_kept(client):
    (found,) = read_materials_project("mp:mp-3", client=client)
    assert found.space_group == 136
    assert found.elements == ("Ti", "O")
    assert site_multiplicities(found).tolist() == [2, 4]


def test_atoms_that_share_a_site_keep_their_occupancies():
    mixed = ([{"element": "Fe", "occu": 0.7}, {"element": "Mg", "occu": 0.3}], (0, 0, 0))
    client = FakeClient({"mp-9": a_structure(FCC, mixed, an_atom("O", 0.5, 0.5, 0.5))})
    (found,) = read_materials_project("mp-9", client=client)
    assert dict(zip(found.elements, found.occupancies.tolist(), strict=True)) == {"Fe": 0.7, "Mg": 0.3, "O": 1.0}


def test_structures_of_pymatgen_are_read_like_their_dictionaries():
    class Document(SimpleNamespace):
        pass

    client = FakeClient({})
    structure = SimpleNamespace(as_dict=lambda: ROCK_SALT)
    client.search = lambda **_: [Document(material_id="mp-1", structure=structure)]
    assert [crystal.space_group for crystal in read_materials_project("Fe-O", client=client)] == [225]


def test_a_chemical_system_gives_what_can_be_used_by_id_and_reports_the_rest(client):
    failed = {}
    names = [crystal.name for crystal in read_materials_project("Fe-O,Ti-O", failed.__setitem__, client)]
    assert names == ["mp-1", "mp-3"]
    assert list(failed) == ["mp-2"]
    assert "names no element" in failed["mp-2"]
    assert client.asked[0]["chemsys"] == ["Fe-O", "Ti-O"]
    assert client.asked[0]["fields"] == ["material_id", "structure"]


def test_an_id_that_is_not_known_is_reported(client):
    failed = {}
    names = [crystal.name for crystal in read_materials_project("mp-1, mp-77", failed.__setitem__, client)]
    assert (names, list(failed)) == (["mp-1"], ["mp-77"])


@pytest.mark.parametrize("query", ["mp:", "mp:rust", "mp:Fe-O,mp-1"])
def test_what_is_neither_system_nor_id_is_refused(query, client):
    with pytest.raises(ValueError, match="mp:Fe-O or mp:mp-19770,mp-24972"):
        next(read_materials_project(query, client=client))


def test_a_search_that_finds_nothing_says_so():
    with pytest.raises(ValueError, match="nothing for 'mp:Xe-Rn'"):
        next(read_materials_project("mp:Xe-Rn", client=FakeClient({})))


def test_what_goes_wrong_over_there_is_told_in_one_line(client):
    def fail(**_):
        raise RuntimeError("status code 403")

    client.search = fail
    with pytest.raises(ValueError, match=r"no answer \(RuntimeError: status code 403\); check MP_API_KEY"):
        next(read_materials_project("Fe-O", client=client))


def run(*arguments):
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    return caught.value.code


def test_without_a_key_the_command_says_what_to_type(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("MP_API_KEY", raising=False)
    assert run("simulate", "reflections", "mp:Fe-O", "--out", tmp_path / "x.h5") == 2
    assert "export MP_API_KEY=YOUR_KEY" in capsys.readouterr().err


def test_without_the_client_the_command_says_what_to_type(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("MP_API_KEY", "k" * 32)
    monkeypatch.setitem(sys.modules, "mp_api", None)
    monkeypatch.setitem(sys.modules, "mp_api.client", None)
    assert run("simulate", "reflections", "mp:Fe-O", "--out", tmp_path / "x.h5") == 2
    assert "pip install 'unscatter[mp]'" in capsys.readouterr().err


def test_the_key_of_the_environment_opens_the_client(monkeypatch, client):
    opened = []

    def rester(key, **options):
        opened.append(key)
        return client

    monkeypatch.setenv("MP_API_KEY", "k" * 32)
    monkeypatch.setitem(sys.modules, "mp_api", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "mp_api.client", SimpleNamespace(MPRester=rester))
    assert next(read_materials_project("mp-1")).name == "mp-1"
    assert opened == ["k" * 32]


def test_a_cache_is_made_of_them_beside_files(monkeypatch, client, table, tmp_path):
    monkeypatch.setattr(materials_project, "_open_client", lambda: client)
    failed = write_reflection_cache([table, "mp:Fe-O"], tmp_path / "x.h5", progress=False)
    assert list(failed) == ["mp-2"]
    cache = read_reflection_cache(tmp_path / "x.h5")
    assert [cache.name(i) for i in range(len(cache))][-2:] == ["mp-1", "mp-3"]
    assert cache.space_group[-2:].tolist() == [225, 136]
