"""What the page draws: the lattice that is offered is the one that was found, each n-th voxel is where it lies."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unscatter.io.planes.notation import parse_plane_axes
from unscatter.jobs.classify import ClassifyOptions, run
from unscatter.nouns.cell import Cell
from unscatter.nouns.components import Components
from unscatter.nouns.found_lattice import FoundLattice, LatticeCandidate
from unscatter.nouns.lattice import Lattice
from unscatter.nouns.plane import Plane
from unscatter.nouns.volume import Volume
from unscatter.powder.demonstration import simulate_corundum
from unscatter.serve import drawing


def test_options_of_a_found_lattice_place_the_pixels_as_that_lattice_does(tmp_path: Path) -> None:
    intensity = np.random.default_rng(0).random((30, 40))
    rival = LatticeCandidate(np.array([[9.0, 0.5], [-1.0, 7.0]]), 0.3, 10.0, 0.2)
    found = FoundLattice(
        (LatticeCandidate(np.array([[8.0, 0.0], [4.0, 7.0]]), 0.6, 15.0, 0.1), rival), centre=(19.0, 15.0)
    )
    streaks = LatticeCandidate(np.array([[8.0, 0.0], [0.0, 8.0]]), 0.1, 15.0, 0.2, one_dimensional=True)
    provenance = {"found_lattice": replace(found, candidates=(*found.candidates, streaks)).record()}
    drawn = drawing.plane_drawing(tmp_path, Components(Plane(intensity), intensity, intensity + 1, provenance))
    assert len(drawn["lattices"]) == 2, "streaks span no cell and have no such options"
    expected = replace(found, candidates=(rival,)).index(Plane(intensity))
    assert expected.axes is not None
    placed = parse_plane_axes(drawn["lattices"][1]["axes"], intensity.shape)
    assert np.allclose(placed.hkl(), expected.axes.hkl(), atol=1e-6)
    assert Cell(*drawn["lattices"][1]["cell"]) == expected.cell


def test_a_large_volume_is_drawn_by_every_nth_voxel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "LARGEST_VOLUME", 1000)
    l, k, h = np.arange(37.0), np.arange(20.0), np.arange(22.0)  # noqa: E741
    values = l[:, None, None] * 10000 + k[:, None] * 100 + h
    asked: list[Any] = []

    def block(layers: Any) -> Any:
        asked.append(layers)
        return values[layers]

    drawn = drawing.volume_drawing(tmp_path, Volume(values, h, k, l), {"I_D": block})
    step = drawn["step"]
    assert np.prod(drawn["shape"]) <= 1000 * 1.2
    assert max(one.stop - one.start for one in asked) <= 16 * step, "no more than a block is read at once"
    whole = np.fromfile(tmp_path / "I_D.vol", "<f4").reshape(drawn["shape"])
    assert np.array_equal(whole, values[::step, ::step, ::step])
    shape = tuple(drawn["shape"])
    cut = np.frombuffer(drawing.cut_volume(tmp_path / "I_D.vol", shape, "h", 2), "<f4").reshape(shape[:2])
    assert np.array_equal(cut, whole[:, :, 2])


def test_candidates_and_a_second_phase_have_lines_where_bragg_puts_them() -> None:
    ranking = run(simulate_corundum(), ClassifyOptions(time_limit=3.0))
    assert ranking.fit is not None
    other = Lattice(Cell(5.4309, 5.4309, 5.4309, 90, 90, 90), "cF")
    drawn = drawing.pattern_drawing(replace(ranking, second_phase=other))
    wavelength = ranking.pattern.wavelength
    assert wavelength is not None
    first = drawn["second_phase"]["ticks"][0]
    assert first == pytest.approx(2 * np.degrees(np.arcsin(wavelength * np.sqrt(3) / 2 / 5.4309)), abs=1e-4)
    assert drawn["second_phase"]["hkl"][0] == [1, 1, 1]
    names = [(fit["bravais"], round(float(np.prod(fit["cell"][:3])))) for fit in drawn["fits"]]
    assert len(set(names)) == len(names), "no lattice is offered twice"
    assert "calculated" in drawn["fits"][0]
