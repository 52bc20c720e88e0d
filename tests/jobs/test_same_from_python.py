"""Python users get exactly what the command line gives, from a path, an array or a noun."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import unscatter
from unscatter.cli import main
from unscatter.diffuse.demonstration import CELL, simulate_demonstration
from unscatter.io.results.components import read_components, write_components, write_plane
from unscatter.io.results.order_tables import read_order_record, record_of
from unscatter.powder.demonstration import simulate_corundum, write_pattern

AXES = "h=-6:6 k=-6:6 l=1"


def run(*arguments: str | Path) -> None:
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    assert not caught.value.code, caught.value.code


@pytest.fixture(scope="module")
def plane_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "plane.h5"
    write_plane(path, simulate_demonstration(pixels=96).plane)
    return path


@pytest.fixture(scope="module")
def corundum(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "corundum.xye"
    write_pattern(path, simulate_corundum())
    return path


def same(a: unscatter.Components, b: unscatter.Components) -> None:
    np.testing.assert_array_equal(a.form_factor, b.form_factor)
    np.testing.assert_array_equal(a.short_range_order, b.short_range_order)
    assert a.findings == b.findings
    assert a.findings


def test_a_path_is_taken_apart_as_on_the_command_line(plane_file: Path, tmp_path: Path) -> None:
    run("factorize", plane_file, "--out", tmp_path, "--no-picture")
    written = read_components(tmp_path / "plane.factorized.h5")
    found = unscatter.factorize(plane_file)
    same(found, written)
    timeless = [{k: v for k, v in one.provenance.items() if k != "seconds"} for one in (found, written)]
    assert timeless[0] == timeless[1]
    assert timeless[0]["options"]["weights"] == "factorize-256"
    same(unscatter.factorize(unscatter.read_plane(plane_file)), written)


def test_no_lattice_asked_for_where_it_is_known_is_told(plane_file: Path) -> None:
    asked = unscatter.factorize(plane_file, lattice="none")
    assert any("cell and axes are known, and are used" in note for note in asked.plane.notes)
    plain = unscatter.factorize(plane_file)
    assert not any("lattice none" in note for note in plain.plane.notes)
    np.testing.assert_array_equal(asked.form_factor, plain.form_factor)


def test_an_array_with_axes_is_taken_apart_as_its_file(tmp_path: Path) -> None:
    array = np.nan_to_num(simulate_demonstration(pixels=96).plane.intensity)
    np.save(tmp_path / "bare.npy", array)
    run("factorize", tmp_path / "bare.npy", "--out", tmp_path, "--no-picture", "--axes", AXES,
        "--cell", *map(str, CELL.parameters))  # fmt: skip
    written = read_components(tmp_path / "bare.factorized.h5")
    assert written.provenance["lattice"] == "known"
    for cell in (CELL, CELL.parameters, list(CELL.parameters)):
        same(unscatter.factorize(array, axes=AXES, cell=cell), written)


def test_a_cell_as_a_tuple_is_a_cell(plane_file: Path) -> None:
    assert unscatter.read_plane(plane_file, cell=(5, 5, 6, 90, 90, 120)).cell == unscatter.Cell(5, 5, 6, 90, 90, 120)
    with pytest.raises(ValueError, match="3 or 6 numbers"):
        unscatter.read_plane(plane_file, cell=(5, 5))


def test_how_a_file_is_read_says_nothing_of_a_plane(plane_file: Path) -> None:
    with pytest.raises(ValueError, match="has been read already, and cell"):
        unscatter.factorize(unscatter.read_plane(plane_file), cell=CELL)
    with pytest.raises(ValueError, match="one plane"):
        unscatter.factorize(plane_file, plane=("hk1", "hk2"))


def test_a_pattern_is_classified_as_on_the_command_line(corundum: Path, classifier: str, tmp_path: Path) -> None:
    run("classify", corundum, "--out", tmp_path, "--weights", classifier, "--no-picture")
    written = json.loads((tmp_path / "corundum.classified.json").read_text())
    found = unscatter.classify(corundum, weights=classifier)
    assert found.to_dict()["levels"] == written["levels"]
    assert {k: v for k, v in found.provenance.items() if k != "seconds"} == {
        k: v for k, v in written["provenance"].items() if k != "seconds"
    }
    pattern = unscatter.read_pattern(corundum)
    np.testing.assert_array_equal(unscatter.classify(pattern, weights=classifier).probabilities, found.probabilities)
    assert unscatter.classify_many([pattern, corundum], weights=classifier)[1].top(3) == found.top(3)


def test_columns_are_classified_as_their_file(corundum: Path, classifier: str) -> None:
    table = np.loadtxt(corundum)
    how = {"wavelength": 1.5403, "radiation": "neutron", "weights": classifier}
    from_file = unscatter.classify(corundum, **how)
    found = unscatter.classify(table, **how)
    np.testing.assert_array_equal(found.probabilities, from_file.probabilities)
    for columns in (table[:, :2], (table[:, 0], table[:, 1])):
        # The network sees no uncertainties; crystallography, which does, estimates what it is not given.
        found = unscatter.classify(columns, **how)
        np.testing.assert_array_equal(found.network, from_file.network)
        assert found.top(1, "Bravais lattice")[0].name == from_file.top(1, "Bravais lattice")[0].name
    assert found.provenance["wavelength_from"] == "--wavelength"


def test_lines_found_by_hand_are_indexed_as_their_pattern(corundum: Path) -> None:
    lines = unscatter.find_lines(unscatter.read_pattern(corundum))
    by_hand, at_once = (unscatter.index(source, systems=("rhombohedral",)) for source in (lines, corundum))
    assert [one.to_dict() for one in by_hand] == [one.to_dict() for one in at_once]
    assert by_hand[0].bravais == "hR"


def test_alphas_are_refined_as_on_the_command_line(tmp_path: Path) -> None:
    result = tmp_path / "plane.factorized.h5"
    write_components(result, simulate_demonstration(pixels=96))
    run("refine", "order", result, "--laue", "6/m", "--vectors", "1,0,0", "2,0,0", "--no-picture")
    record = read_order_record(result)
    for source in (result, str(result), read_components(result), [read_components(result)]):
        fit = unscatter.refine_order(source, laue="6/m", vectors=[(1, 0, 0), (2, 0, 0)])
        assert record_of(fit)["parameters"] == record["parameters"]


def test_a_crystal_is_drawn_from_a_fit_as_from_its_file(tmp_path: Path) -> None:
    from unscatter.jobs.supercell import supercell

    result = tmp_path / "plane.factorized.h5"
    write_components(result, simulate_demonstration(pixels=96))
    run("refine", "order", result, "--laue", "6/m", "--vectors", "1,0,0", "--bootstrap", "5", "--no-picture")
    fit = unscatter.refine_order(result, laue="6/m", vectors=["1,0,0"], bootstrap=5)
    how = {"box": (8, 8, 1), "boxes": 1, "sweeps": 2}
    drawn, from_file = supercell(fit, **how), supercell(result, **how)
    # A fit alone knows nothing of what was found in its plane.
    assert replace(drawn, findings=from_file.findings) == from_file


def test_against_what_is_not_known_is_told_before_anything_is_refined() -> None:
    with pytest.raises(ValueError, match=r"against .*got 'dat'"):
        unscatter.refine_order(replace(simulate_demonstration(pixels=64)), against="dat")


def test_help_shows_the_options() -> None:
    import inspect

    assert "find_lattice" in inspect.signature(unscatter.factorize).parameters
    assert "find it in the picture" in (unscatter.factorize.__doc__ or "")
