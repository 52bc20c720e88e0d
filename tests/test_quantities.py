"""Names and units mean the same wherever they stand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import constants

from unscatter import quantities
from unscatter.quantities import (
    Quantity,
    find_quantity,
    find_unit,
    in_unit_of,
    parse_number,
    parse_quantity,
    require_wavelength,
    spacings,
    spacings_to_two_theta,
    wavelength_in_angstrom,
)

TWO_THETA = ["2theta", "2-Theta", "2θ (°)", "2Theta [deg]", "tth", "2th_deg", "two_theta", "polar_angle",
             "2 theta / deg", "Pos. [°2Th.]", "Scattering angle $2\\theta$ ($^{o}$)", "2theta_corrected",
             "# 2*theta", "2Theta,deg", "2Theta Position (deg)", "twotheta [degrees]"]  # fmt: skip
OTHERS = {
    "2th_rad": ("two-theta", 180 / math.pi),
    "Scattering angle $2\\theta$ ($rad$)": ("two-theta", 180 / math.pi),
    "2theta (mrad)": ("two-theta", 0.18 / math.pi),
    "Theta (deg)": ("theta", 1.0),
    "Q": ("Q", 1.0),
    "Q (1/A)": ("Q", 1.0),
    "|Q| (Å⁻¹)": ("Q", 1.0),
    "q_nm^-1": ("Q", 0.1),
    "Q / nm^-1": ("Q", 0.1),
    "Scattering vector $q$ ($nm^{-1}$)": ("Q", 0.1),
    "sin(theta)/lambda": ("Q", 4 * math.pi),
    "1/d": ("Q", 2 * math.pi),
    "d* (1/nm)": ("Q", 0.2 * math.pi),
    "d(A)": ("d", 1.0),
    "D-SPACING": ("d", 1.0),
    "d [nm]": ("d", 10.0),
    "d*2_nm^-2": ("1/d^2", 0.01),
    "TOF (ms)": ("time of flight", 1e3),
    "Time-of-flight": ("time of flight", 1.0),
    "Energy (eV)": ("energy", 1e-3),
    "lambda (pm)": ("wavelength", 0.01),
    "Omega": ("another angle", 1.0),
    "Angle": ("an angle", 1.0),
    "log(q)": ("another quantity", 1.0),
    "h (r.l.u.)": ("index", 1.0),
    "r_mm": ("radius", 1e7),
}


@pytest.mark.parametrize("label", TWO_THETA)
def test_spellings_of_two_theta_in_degrees(label: str) -> None:
    found = find_quantity(label)
    assert found is not None
    assert (found.kind, found.factor) == ("two-theta", 1.0)


@pytest.mark.parametrize("label", OTHERS)
def test_what_is_named_otherwise_is_something_else(label: str) -> None:
    found = find_quantity(label)
    assert found is not None
    assert found.kind == OTHERS[label][0]
    assert found.factor == pytest.approx(OTHERS[label][1], rel=1e-12)


@pytest.mark.parametrize("label", ["Intensity", "I(Q)", "counts", "S(Q)", "", "sigma", "[H,0,0]"])
def test_what_is_no_axis_has_no_kind(label: str) -> None:
    assert find_quantity(label) is None


def test_a_unit_beside_the_label_wins_over_the_one_in_it() -> None:
    found = find_quantity("Q (1/A)", unit="1/nm")
    assert found is not None
    assert found.factor == pytest.approx(0.1)
    assert found.unit_given


def test_a_unit_of_another_dimension_is_refused() -> None:
    with pytest.raises(ValueError, match=r"unit of two-theta; expected for example deg"):
        find_quantity("two_theta", unit="1/A")
    with pytest.raises(ValueError, match="expected for example A"):
        in_unit_of("length", [5.4], "deg")


UNITS = {
    "nm": ("length", 10.0), "Angstroms": ("length", 1.0), "Å": ("length", 1.0), "\u212b": ("length", 1.0),
    "m": ("length", 1e10), "pm": ("length", 0.01), "rad": ("angle", 180 / math.pi), "°": ("angle", 1.0),
    "degrees": ("angle", 1.0), "1/Å": ("inverse length", 1.0), "A**-1": ("inverse length", 1.0),
    "nm⁻¹": ("inverse length", 0.1), "inverse angstrom": ("inverse length", 1.0), "meV": ("energy", 1e-6),
    "MeV": ("energy", 1e3), "keV": ("energy", 1.0), "r.l.u.": ("index", 1.0), "in 1.22 A^-1": ("index", 1.0),
    "microseconds": ("time", 1.0),
}  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_units(unit: str) -> None:
    found = find_unit(unit)
    assert found is not None
    assert found.dimension == UNITS[unit][0]
    assert found.factor == pytest.approx(UNITS[unit][1], rel=1e-12)


def test_every_unit_of_ours_is_known_and_one() -> None:
    for dimension, unit in quantities.UNITS.items():
        found = find_unit(unit)
        assert found is not None
        assert (found.dimension, found.factor, found.offset) == (dimension, 1.0, 0.0)


def test_a_cell_in_nanometres_and_radians() -> None:
    np.testing.assert_allclose(in_unit_of("length", [0.541, 0.7], "nm"), [5.41, 7.0])
    np.testing.assert_allclose(in_unit_of("angle", [math.pi / 2], "rad"), [90.0])
    np.testing.assert_allclose(in_unit_of("angle", [90], ""), [90.0])


@given(
    value=st.floats(-1e9, 1e9).map(lambda v: float(f"{v:.6e}")),
    letter=st.sampled_from("eEdD"),
)
def test_a_number_with_exponent_comes_back(value: float, letter: str) -> None:
    assert parse_number(f"{value:.6e}".replace("e", letter)) == (value, pytest.approx(math.nan, nan_ok=True))


def test_numbers_with_uncertainty_and_unit() -> None:
    assert parse_number("12.3(4)") == (12.3, pytest.approx(0.4))
    assert parse_number("word") is None
    assert parse_quantity("7.2932e-11 m") == (7.2932e-11, "m")
    assert parse_quantity("0.15406nm, at room temperature") == (0.15406, "nm")
    assert parse_quantity("1.5406") == (1.5406, "")
    assert parse_quantity("Cu") is None


@pytest.mark.parametrize(
    ("value", "unit"),
    [(1.5406, ""), (1.5406, "A"), (0.15406, "nm"), (154.06, "pm"), (1.5406e-10, "m"), (1.5406e-10, "")],
)
def test_one_wavelength_in_every_unit(value: float, unit: str) -> None:
    assert wavelength_in_angstrom(value, unit) == pytest.approx(1.5406)


def test_energies_of_photons_and_neutrons_by_the_constants_of_nature() -> None:
    photon = constants.h * constants.c / (8047.78 * constants.e) * 1e10
    neutron = constants.h / math.sqrt(2 * constants.m_n * 14.7e-3 * constants.e) * 1e10
    assert wavelength_in_angstrom(8.04778, "keV") == pytest.approx(photon, rel=1e-9)
    assert wavelength_in_angstrom(8047.78, "eV") == pytest.approx(photon, rel=1e-9)
    assert wavelength_in_angstrom(14.7, "meV") == pytest.approx(neutron, rel=1e-8)
    assert wavelength_in_angstrom(0.0147, "eV", radiation="neutron") == pytest.approx(neutron, rel=1e-8)


@pytest.mark.parametrize(
    ("value", "unit"), [(7.2932, "m"), (0.0, ""), (-1.5, "A"), (25.0, "A"), (0.01, "A"), (math.nan, ""), (0.0, "keV")]
)
def test_wavelengths_that_nobody_diffracts_with_are_refused(value: float, unit: str) -> None:
    with pytest.raises(ValueError, match=r"expected 0\.05 to 20 A: give the right one"):
        require_wavelength(wavelength_in_angstrom(value, unit))


def test_a_wavelength_is_a_length_or_an_energy() -> None:
    assert require_wavelength(1.5406) == 1.5406
    with pytest.raises(ValueError, match="expected a length or an energy"):
        wavelength_in_angstrom(1.0, "s")


def test_spacings_give_the_angles_of_braggs_law() -> None:
    wavelength, two_theta = 1.5406, np.array([20.0, 90.0, 150.0])
    sine = np.sin(np.radians(two_theta / 2))
    kinds = {
        "d(nm)": 0.1 * wavelength / (2 * sine),
        "q_nm^-1": 40 * np.pi * sine / wavelength,
        "sin(theta)/lambda": sine / wavelength,
        "d*2_A^-2": (2 * sine / wavelength) ** 2,
    }
    for label, numbers in kinds.items():
        found = find_quantity(label)
        assert found is not None
        np.testing.assert_allclose(spacings_to_two_theta(spacings(found, numbers), wavelength), two_theta)
    assert np.isnan(spacings_to_two_theta([0.7], wavelength)).all()
    with pytest.raises(ValueError, match="no spacing"):
        spacings(Quantity("two-theta", "angle"), two_theta)
