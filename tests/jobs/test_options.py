"""Options of jobs as facts: one field is a flag, a keyword, a line of TOML and an entry of the provenance."""

import inspect
from dataclasses import MISSING, fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unscatter.diffuse.factorize.factorize import factorize
from unscatter.diffuse.refine.molecules import refine_molecules
from unscatter.diffuse.refine.order import refine_order
from unscatter.diffuse.supercell import draw_supercell
from unscatter.io.patterns import read_pattern
from unscatter.io.planes.read import read_plane
from unscatter.jobs.classify import ClassifyOptions, StartOptions
from unscatter.jobs.factorize import FactorizeOptions, VolumeOptions
from unscatter.jobs.fit import LatticeFitOptions
from unscatter.jobs.options import describe_fields, make_options, read_options, table_of, write_options
from unscatter.jobs.pattern_reading import PatternReading
from unscatter.jobs.plane_reading import PlaneReading
from unscatter.jobs.refine_molecules import FitOptions, RefineMoleculesOptions
from unscatter.jobs.refine_order import OrderOptions, RefineOrderOptions
from unscatter.jobs.report import ReportOptions
from unscatter.jobs.simulate import SimulateDiffuseOptions, SimulatePowderOptions, SimulateReflectionsOptions
from unscatter.jobs.supercell import DrawOptions, SupercellOptions
from unscatter.nouns.cell import Cell
from unscatter.powder.classify.classify import classify

JOBS = {
    "factorize": FactorizeOptions,
    "classify": ClassifyOptions,
    "fit": LatticeFitOptions,
    "report": ReportOptions,
    "refine order": RefineOrderOptions,
    "refine molecules": RefineMoleculesOptions,
    "supercell": SupercellOptions,
    "simulate diffuse": SimulateDiffuseOptions,
    "simulate powder": SimulatePowderOptions,
    "simulate reflections": SimulateReflectionsOptions,
}


def own_fields(kind: type, *bases: type) -> dict[str, Any]:
    inherited = {one.name for base in bases for one in fields(base)}
    return {one.name: one.default for one in fields(kind) if one.name not in inherited}


@pytest.mark.parametrize(
    ("options", "function", "renamed"),
    [
        (own_fields(PlaneReading), read_plane, {"plane"}),
        (own_fields(PatternReading), read_pattern, set()),
        (own_fields(FactorizeOptions, PlaneReading, VolumeOptions), factorize, set()),
        (own_fields(ClassifyOptions, PatternReading, StartOptions), classify, set()),
        (own_fields(OrderOptions), refine_order, {"vectors"}),
        (own_fields(FitOptions), refine_molecules, set()),
        (own_fields(DrawOptions), draw_supercell, {"concentration"}),
    ],
)
def test_an_option_is_a_keyword_of_what_it_is_for_with_the_same_default(options, function, renamed):
    keywords = inspect.signature(function).parameters
    for name, default in options.items():
        assert name in keywords, f"{function.__name__} has no keyword {name}"
        assert name in renamed or keywords[name].default == default, name


@pytest.mark.parametrize("job", JOBS)
def test_every_option_is_explained(job):
    for name, words in describe_fields(JOBS[job]).items():
        assert len(words) > 5, name


@pytest.mark.parametrize("job", JOBS)
def test_what_toml_cannot_say_is_the_default(job):
    """TOML has no None: an option that may be None is None where nothing is said."""
    for one in fields(JOBS[job]):
        assert "None" not in str(one.type) or one.default is None, one.name


@given(
    cell=st.none() | st.lists(st.floats(3, 20), min_size=3, max_size=3),
    axes=st.none() | st.text(),
    mask=st.none() | st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1),
    plane=st.lists(st.sampled_from(["hk1", "origin=0,0,0.5 u=1,1,0 v=0,0,1"])),
    negative=st.sampled_from(["refuse", "clip", "shift"]),
    find_lattice=st.booleans(),
)
def test_options_come_back_from_toml(tmp_path_factory, cell, axes, mask, plane, negative, find_lattice):
    options = FactorizeOptions(
        cell=cell, axes=axes, mask=mask, plane=tuple(plane), negative=negative, find_lattice=find_lattice
    )
    path = tmp_path_factory.mktemp("toml") / "options.toml"
    path.write_text(write_options({"factorize": table_of(options)}), encoding="utf-8")
    assert FactorizeOptions(**read_options(path, "factorize")) == options


def test_one_file_may_hold_the_options_of_several_jobs(tmp_path):
    tables = {"classify": {"wavelength": 1.54}, "refine order": {"laue": "6/m", "reach": None}}
    (tmp_path / "beamline.toml").write_text(write_options(tables))
    assert read_options(tmp_path / "beamline.toml", "refine order") == {"laue": "6/m"}
    assert read_options(tmp_path / "beamline.toml", "classify") == {"wavelength": 1.54}
    with pytest.raises(ValueError, match=r"no table \[factorize\]"):
        read_options(tmp_path / "beamline.toml", "factorize")


def test_what_is_no_option_is_told_in_one_line_with_those_that_are():
    with pytest.raises(ValueError, match=r"factorize: no option 'colour'; there are plane, cell, axes.*weights"):
        make_options(FactorizeOptions, {"colour": 1}, "factorize")
    with pytest.raises(ValueError, match=r"option against .*'data' or 'order', got 'dat'") as caught:
        make_options(RefineOrderOptions, {"against": "dat"}, "refine order")
    assert "\n" not in str(caught.value)


def test_python_may_say_it_its_own_way():
    cell = Cell(14.12, 14.12, 6.93, 90, 90, 120)
    assert FactorizeOptions(cell=cell, plane="hk1") == FactorizeOptions(cell=cell.parameters, plane=("hk1",))
    assert RefineOrderOptions(vectors=[(1, 0, 0), "2,0,0"]).vectors == ("1,0,0", "2,0,0")


@pytest.mark.parametrize("job", JOBS)
def test_options_are_frozen_and_every_one_has_a_default_but_what_there_is_no_usual_value_for(job):
    required = {one.name for one in fields(JOBS[job]) if one.default is MISSING and one.default_factory is MISSING}
    assert required == ({"model_a"} if job == "refine molecules" else set())
    assert JOBS[job].__dataclass_params__.frozen
