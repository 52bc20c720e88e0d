"""What the refinement of molecules against I_FF promises."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from unscatter.diffuse.crystal.geometry import Operation, bonds, parse_operation
from unscatter.diffuse.crystal.molecules import read_species
from unscatter.diffuse.crystal.motions import parse_range, parse_rotation, parse_shift
from unscatter.diffuse.demonstration import CELL, simulate_demonstration, trisamide_columns, trisamide_order
from unscatter.diffuse.plane.fold import local_gain
from unscatter.diffuse.plane.forward import (
    form_factor_difference,
    order_waves,
    q_squared,
    scattering_plane,
    short_range_order,
)
from unscatter.diffuse.plane.planes import axis_plane
from unscatter.diffuse.refine.disorder_model import DisorderModel, read_models
from unscatter.diffuse.refine.molecules import rank_models, refine_molecules
from unscatter.diffuse.samples.artefacts import debye_waller
from unscatter.nouns.cell import Cell
from unscatter.nouns.components import Components
from unscatter.nouns.molecule import Molecule
from unscatter.nouns.molecule_fit import table_of_models
from unscatter.nouns.plane import Plane, PlaneAxes

AXES = axis_plane(CELL, normal=2, level=1.0, q_max=5.0, pixels=56)
DATA = Path(__file__).parents[4] / "shared" / "data" / "trisamide"
MIRROR = parse_operation("x,y,1/2-z")


def molecule_of(name: str) -> Molecule:
    (found,) = [s.molecule for s in read_species() if s.molecule.name == name]
    return found


@pytest.fixture(scope="module")
def arm() -> DisorderModel:
    """A third of one molecule of the demonstration, with the symmetry that makes a column of it."""
    a, _ = trisamide_columns()
    kept = np.arange(0, 120, 6)
    labels = tuple(f"{a.elements[n]}{place}" for place, n in enumerate(kept, 1))
    listed = replace(a, elements=tuple(a.elements[n] for n in kept), positions=a.positions[kept], labels=labels)
    generators = (parse_operation("-y,x-y,z"), parse_operation("-x,-y,z+1/2"))
    return DisorderModel(listed, MIRROR, generators, "arm")


def simulated(model: DisorderModel, moves=(), d_w=0.06, scale=0.01, noise=0.0, rng=None, neutrons=False) -> Components:
    """I_FF of a model with I_SRO = 1, and noise that grows as the root and is smooth over some pixels."""
    plane = scattering_plane(AXES, CELL)
    real, imaginary = form_factor_difference(model.pair(CELL, moves, neutrons), plane)
    form = scale * (real**2 + imaginary**2) * debye_waller(q_squared(plane), d_w)
    if rng is not None:
        smooth = gaussian_filter(rng.standard_normal(form.shape), 1.5)
        form = form + noise * np.sqrt(form + 0.05 * form.mean()) * smooth / smooth.std()
    return Components(Plane(form, AXES, CELL, simulated=True), form, np.ones_like(form))


# --- models ---


def test_a_column_is_completed_from_one_arm(arm):
    whole = trisamide_columns()
    for made, known in zip(arm.molecules(CELL), whole, strict=True):
        assert made is not None
        distances = np.linalg.norm(made.positions[:, None] - known.positions[None], axis=-1)
        assert distances.min(axis=1).max() < 1e-3
        assert len(made.elements) == 120


def test_turning_one_arm_turns_all_of_a_and_of_b(arm):
    torsion = parse_rotation("N2-C5")
    a, b = arm.molecules(CELL, [(torsion, 20.0)])
    a0, _ = arm.molecules(CELL)
    moved = np.linalg.norm(a.positions - a0.positions, axis=1) > 1e-6
    assert moved.sum() == 6 * 12
    # B stays the mirror image of A.
    np.testing.assert_allclose(b.positions, MIRROR.apply(a.positions, CELL), atol=1e-9)
    assert np.array_equal(bonds(a), bonds(a0))


def test_a_prefix_moves_one_molecule_alone(arm):
    for text, moved in (("A:[0 0 1]", (True, False)), ("B:N2-C5", (False, True)), ("[0 0 1]", (True, True))):
        after = arm.molecules(CELL, [(parse_rotation(text), 10.0)])
        before = arm.molecules(CELL)
        seen = tuple(not np.allclose(p.positions, q.positions) for p, q in zip(before, after, strict=True))
        assert seen == moved, text


def test_bonds_joined_by_commas_turn_together():
    a, b = trisamide_columns()
    listed = parse_rotation(",".join(f"N{n}-C{n + 18}" for n in range(7, 13)))
    one, _ = DisorderModel(a, b).molecules(CELL, [(parse_rotation("A:N7-C25"), 15.0)])
    every, mirrored = DisorderModel(a, b).molecules(CELL, [(listed, 15.0)])
    assert (np.linalg.norm(one.positions - a.positions, axis=1) > 1e-6).sum() == 12
    assert (np.linalg.norm(every.positions - a.positions, axis=1) > 1e-6).sum() == 72
    assert not np.allclose(mirrored.positions, b.positions)


@pytest.mark.parametrize("text", ["N1", "N1-", "N1-C2-C3", "[0 0]", "[0 0 0]", "[a b c]", ""])
def test_what_names_no_motion_is_refused(text):
    with pytest.raises(ValueError, match="for example"):
        parse_rotation(text)


@pytest.mark.parametrize("text", ["1:2", "5:1:1", "0:1:0", "a:b:c"])
def test_what_is_no_range_is_refused(text):
    with pytest.raises(ValueError, match="first:last:step"):
        parse_range(text)


def test_a_range_holds_both_its_ends():
    np.testing.assert_allclose(parse_range("-60:60:1"), np.arange(-60, 61))


def test_a_bond_that_is_not_there_is_refused(arm):
    for text, message in (("N2-C99", "0 atoms 'C99'"), ("N2-O1", "not bonded")):
        with pytest.raises(ValueError, match=message):
            arm.molecules(CELL, [(parse_rotation(text), 1.0)])


def test_a_ring_that_symmetry_closes_is_not_torn(arm):
    with pytest.raises(ValueError, match="part of a ring"):
        refine_molecules(simulated(arm), arm, [(parse_rotation("C4-C3"), parse_range("-9:9:3"))])


def test_models_are_read_in_pairs(tmp_path):
    (tmp_path / "a.xyz").write_text("2\n\nC 0 0 0\nO 0 0 1.2\n")
    (tmp_path / "b.xyz").write_text("1\n\nN 0 0 0\n")
    a, b = str(tmp_path / "a.xyz"), str(tmp_path / "b.xyz")
    vacancy, other = read_models([a, b])
    assert (vacancy.name, vacancy.b, other.name) == ("a.xyz", None, "b.xyz")
    (mirrored,) = read_models([a], ["-x,-y,-z"])
    assert isinstance(mirrored.b, Operation)
    first, second = read_models([a, b], [b, a])
    assert (first.name, second.name) == ("a.xyz | b.xyz", "b.xyz | a.xyz")
    with pytest.raises(ValueError, match="give one B, or one for each A"):
        read_models([a], [a, b])
    with pytest.raises(ValueError, match="the same model twice"):
        read_models([a, a])


def test_a_group_that_hangs_on_copies_cannot_turn(arm):
    """The other side of the bond is the rest of the molecule, ring and arms."""
    with pytest.raises(ValueError, match="copies by symmetry"):
        refine_molecules(simulated(arm), arm, [(parse_rotation("C5-N2"), parse_range("-9:9:3"))])


# --- refinement ---


def test_a_perfect_model_leaves_nothing(arm):
    fit = refine_molecules(simulated(arm), arm)
    assert fit.r_factor < 1e-6
    assert fit["D_w"][0] == pytest.approx(0.06, abs=1e-6)
    assert fit["scale"][0] == pytest.approx(0.01, rel=1e-5)
    assert fit["background"][0] == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize(("true", "scanned"), [(-7.3, "-30:30:3"), (4.6, "-20:20:2")])
def test_a_torsion_is_found_between_the_points_of_the_scan(arm, true, scanned):
    torsion = parse_rotation("N2-C5")
    fit = refine_molecules(simulated(arm, [(torsion, true)]), arm, [(torsion, parse_range(scanned))])
    assert fit["N2-C5"][0] == pytest.approx(true, abs=0.01)
    assert abs(fit.scans[0].best - true) <= 3
    assert fit.scans[0].minima[0] == fit.scans[0].best


def test_a_turn_of_b_and_a_shift_of_b_are_found_together():
    """A and B differ in orientation and place; neutrons, oblique cell."""
    ethanol = molecule_of("Ethanol")
    model = DisorderModel(ethanol, ethanol, name="ethanol")
    turn, shift = parse_rotation("B:[0 0 1]"), parse_shift("B:[1 0 0]")
    data = simulated(model, [(turn, 34.0), (shift, 0.21)], neutrons=True)
    fit = refine_molecules(
        data, model, [(turn, parse_range("5:65:5")), (shift, parse_range("-0.5:0.5:0.1"))], radiation="neutron"
    )
    assert fit[turn.name][0] == pytest.approx(34.0, abs=0.05)
    assert fit[shift.name][0] == pytest.approx(0.21, abs=0.002)


def test_a_given_debye_waller_factor_is_kept_and_has_no_uncertainty(arm):
    fit = refine_molecules(simulated(arm), arm, debye_waller=0.05)
    assert fit["D_w"][0] == 0.05
    assert np.isnan(fit["D_w"][1])
    assert fit.r_factor > 0.01


def test_pixels_that_are_not_measured_saturated_or_without_order_do_not_count(arm):
    clean = simulated(arm)
    intensity, ordered, form = (
        array.copy() for array in (clean.plane.intensity, clean.short_range_order, clean.form_factor)
    )
    form[:10], intensity[:10] = 1e3, np.nan
    form[10:20], intensity[10:20] = 1e3, 1e4
    form[20:30], ordered[20:30] = 1e3, 0.01
    spoiled = Components(replace(clean.plane, intensity=intensity), form, ordered)
    fit = refine_molecules(spoiled, arm, saturated=1e4)
    assert fit["D_w"][0] == pytest.approx(0.06, abs=1e-6)
    assert not fit.used[:30].any()
    assert fit.used[30:].all()
    assert np.isnan(fit.observed[:30]).all()


def test_against_the_data_i_sro_is_a_known_factor(arm):
    clean = simulated(arm)
    h = AXES.hkl()
    ordered = 1 + 0.8 * np.cos(2 * np.pi * h[..., 0])
    data = Components(replace(clean.plane, intensity=clean.form_factor * ordered), np.ones_like(ordered), ordered)
    fit = refine_molecules(data, arm, against="data")
    assert fit["scale"][0] == pytest.approx(0.01, rel=1e-5)
    assert fit.r_factor < 1e-6


def test_a_vacancy_is_a_molecule_of_no_atoms():
    benzene = molecule_of("Benzene")
    model, wrong = DisorderModel(benzene, None, name="vacancy"), DisorderModel(benzene, molecule_of("Pyridine"))
    ranked = rank_models(simulated(model), [wrong, model])
    assert ranked[0].name == "vacancy"
    assert ranked[0].r_factor < 1e-6 < ranked[1].r_factor
    assert table_of_models(ranked).rows[0][0] == "vacancy"


def test_a_and_b_alike_are_refused(arm):
    ethanol = molecule_of("Ethanol")
    with pytest.raises(ValueError, match="A and B are the same"):
        refine_molecules(simulated(arm), DisorderModel(ethanol, ethanol))


def test_a_plane_without_lattice_is_refused(arm):
    clean = simulated(arm)
    with pytest.raises(ValueError, match="--cell and --axes"):
        refine_molecules(replace(clean, plane=Plane(clean.plane.intensity)), arm)


def test_a_plane_with_nothing_left_is_refused(arm):
    with pytest.raises(ValueError, match="check the mask"):
        refine_molecules(simulated(arm), arm, saturated=0.0)


def test_the_uncertainty_holds_for_noise_that_is_correlated(arm):
    """The true torsion lies within two s.u. in about 95 of 100 simulations; counting every pixel, far more rarely."""
    torsion = parse_rotation("N2-C5")
    rng = np.random.default_rng(11)
    model = replace(arm, a=torsion.move(arm.a, CELL, 3.0))
    deviations, plain, values = [], [], []
    for _ in range(50):
        data = simulated(model, noise=0.4, rng=rng)
        fit = refine_molecules(data, model, [(torsion, np.zeros(1))])
        value, error = fit[torsion.name]
        values.append(value)
        deviations.append(abs(value) / error)
        plain.append(abs(value) / fit.plain_error[0])
    inside = np.mean(np.array(deviations) < 2)
    # 0.95 with 50 trials: standard error 0.031.
    assert inside >= 0.87
    assert np.mean(np.array(plain) < 2) < 0.7
    # Nor is it safe because it is large.
    assert np.sqrt(np.mean(np.square(deviations))) > 0.75
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(50)


def test_independent_pixels_are_counted_as_such(arm):
    rng = np.random.default_rng(5)
    clean = simulated(arm)
    form = clean.form_factor + np.sqrt(clean.form_factor + 0.05 * clean.form_factor.mean()) * rng.standard_normal(
        AXES.shape
    )
    fit = refine_molecules(Components(replace(clean.plane, intensity=form), form, np.ones_like(form)), arm)
    assert fit.independent > 0.6 * fit.pixels


def test_the_fit_shows_itself(arm):
    torsion = parse_rotation("N2-C5")
    fit = refine_molecules(
        simulated(arm, noise=0.5, rng=np.random.default_rng(1)), arm, [(torsion, parse_range("-9:9:3"))]
    )
    for text in (str(fit), fit._repr_html_()):
        assert "N2-C5" in text
        assert "D_w" in text
    assert [row["parameter"] for row in fit.rows()] == ["N2-C5", "D_w", "scale", "background"]
    assert [row["value"] for row in fit.scans[0].rows()] == [-9, -6, -3, 0, 3, 6, 9]
    with pytest.raises(KeyError, match="there are N2-C5, D_w"):
        fit["C4-C5"]


def test_the_demonstration_prefers_its_own_torsion():
    """Detector gaps and counting noise, the true factors known: the curve of Fig. 5(b)."""
    truth = simulate_demonstration(pixels=160)
    a, _ = trisamide_columns()
    joined = parse_rotation(",".join(f"N{n}-C{n + 18}" for n in range(7, 13)))
    fit = refine_molecules(truth, DisorderModel(a, MIRROR), [(joined, parse_range("-60:60:10"))], against="data")
    value, error = fit[joined.name]
    assert abs(value) < 3 * error < 1
    assert abs(fit.scans[0].worst) >= 40
    assert fit.scans[0].best == 0


def test_the_real_plane_tells_the_tert_butyl_torsion():
    """The curve of Fig. 5(b), without a network: two minima, the lower near the published angle, the worst at +-60."""
    if not (DATA / "hk1_measured_8bit.npz").is_file():
        pytest.skip("the measured plane is not shipped: no licence is stated for it")
    with np.load(DATA / "hk1_measured_8bit.npz") as archive:
        grey, saturated, h, k = (archive[name][::-3, ::3] for name in ("intensity_signed", "saturated", "h", "k"))
        cell = Cell.from_sequence(archive["cell"].astype(float))
    axes = PlaneAxes(
        [h[0, 0], k[0, 0], 1.0],
        [1.0, 0.0, 0.0],
        [-0.5, 1.0, 0.0],
        np.arange(h.shape[1]) * (h[0, 1] - h[0, 0]),
        np.arange(h.shape[0]) * (k[1, 0] - k[0, 0]),
    )
    intensity = np.where(saturated, np.nan, np.clip(grey.astype(float), 0, None))
    ordered = short_range_order(order_waves(trisamide_order(), axes), axes.x, axes.y)
    seen = np.isfinite(intensity)
    form = local_gain(np.where(seen, intensity, 0.0), ordered, seen.astype(float), axes.x, axes.y, (0.5, 0.5))
    data = Components(Plane(intensity, axes, cell), form, ordered)
    generators = ("-y,x-y,z", "-x,-y,z+1/2")
    (model,) = read_models([str(DATA / "trisamide_average.cif")], ["x,y,1/2-z"], generators)
    fit = refine_molecules(data, model, [(parse_rotation("N-C4"), parse_range("-60:60:4"))])
    (scan,) = fit.scans
    assert -12 <= fit["N-C4"][0] <= -4
    assert abs(scan.worst) >= 44
    assert scan.mse.max() > 3 * scan.mse.min()
    assert 16 <= scan.minima[1] <= 28


def test_a_scan_of_121_angles_finds_the_angle_a_plane_was_made_with():
    a, _ = trisamide_columns()
    # One molecule: the first of the two in each six.
    kept = np.concatenate([np.arange(first, first + 3) for first in range(0, 120, 6)])
    one = replace(a, elements=tuple(a.elements[n] for n in kept), positions=a.positions[kept])
    assert len(one.elements) == 60
    axes = axis_plane(CELL, normal=2, level=1.0, q_max=5.0, pixels=401)
    model = DisorderModel(one, MIRROR)
    plane = scattering_plane(axes, CELL)
    real, imaginary = form_factor_difference(model.pair(CELL), plane)
    form = real**2 + imaginary**2
    data = Components(Plane(form, axes, CELL), form, np.ones_like(form))
    torsion = parse_rotation("N4-C13,N5-C14,N6-C15")
    fit = refine_molecules(data, model, [(torsion, parse_range("-60:60:1"))])
    assert fit[torsion.name][0] == pytest.approx(0, abs=0.01)


def test_an_oblique_cell_carries_an_operation_with_it():
    oblique = Cell(7, 8, 9, 80, 95, 110)
    position = np.array([[0.1, 0.2, 0.3]]) @ oblique.direct
    np.testing.assert_allclose(
        parse_operation("-x,1/2+y,z").apply(position, oblique), np.array([[-0.1, 0.7, 0.3]]) @ oblique.direct
    )
