"""Start files through another program: rietx, which shares no code with ours, refines the cell that was fitted."""

from dataclasses import replace

import numpy as np
import pytest

from unscatter.jobs.classify import write
from unscatter.nouns.pattern import Pattern
from unscatter.powder.classify.classify import classify
from unscatter.powder.crystal.reflections import simulate_reflections
from unscatter.powder.demonstration import corundum, write_pattern
from unscatter.powder.pattern.instrument import read_instruments
from unscatter.powder.pattern.profile import simulate_profile

rietx = pytest.importorskip("rietx", reason="rietx is not installed: .ci/round-trip runs this test where it is")


def symmetric_corundum():
    """Corundum on BT-1 as the demonstration, but for axial divergence, which shifts lines as a zero does."""
    instrument = replace(read_instruments()["bt1-cu311"], axial=(0.0, 0.0))
    lines = simulate_reflections(corundum(), instrument.limit, "neutron", instrument.wavelengths[0])
    height = simulate_profile(lines, instrument)
    counts = np.random.default_rng(7).poisson(15000 * height / height.max() + 120).astype(float)
    return Pattern(
        instrument.two_theta, counts, np.sqrt(counts), instrument.wavelengths[0], None, "neutron", title="corundum"
    )


def test_a_le_bail_refinement_from_our_start_files_gives_the_same_cell_within_three_standard_uncertainties(tmp_path):
    from rietx.crystallography.cif import structure_from_cif

    pattern = symmetric_corundum()
    write_pattern(tmp_path / "corundum.xye", pattern)
    ranking = classify(pattern)
    write(ranking, tmp_path / "corundum", picture=False, start_files=True)
    refined = rietx.refine(
        rietx.read_pattern(tmp_path / "corundum.xye"),
        structure_from_cif(tmp_path / "corundum.start.cif"),
        rietx.read_gsas2_instprm(tmp_path / "corundum.start.instprm"),
        mode="lebail",
        plan="profile_only",
    )
    cell = {one.path.rsplit(".", 1)[-1]: one.value for one in refined.parameters if ".cell." in one.path}
    assert ranking.fit is not None
    for name, value, error in zip("abc", ranking.fit.lattice.cell.parameters, ranking.fit.cell_error, strict=False):
        assert abs(cell[name] - value) < 3 * error
