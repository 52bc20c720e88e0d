"""Scattering power as facts: gemmi's and periodictable's numbers, electrons at Q = 0."""

import gemmi
import numpy as np
import periodictable
import pytest

from unscatter.atoms import form_factors

ELEMENTS = ("H", "C", "N", "O", "Si", "Fe", "Br", "Pb")


def test_form_factors_are_gemmis():
    """To float32, in which gemmi keeps its coefficients."""
    q = np.linspace(0, 8, 30)
    ours = form_factors(ELEMENTS)(q)
    for row, symbol in zip(ours, ELEMENTS, strict=True):
        coefficients = gemmi.Element(symbol).it92
        theirs = [coefficients.calculate_sf((value / (4 * np.pi)) ** 2) for value in q]
        np.testing.assert_allclose(row, theirs, atol=1e-5)


def test_form_factor_at_q_zero_is_the_number_of_electrons():
    numbers = [gemmi.Element(symbol).atomic_number for symbol in ELEMENTS]
    np.testing.assert_allclose(form_factors(ELEMENTS)(np.zeros(1))[:, 0], numbers, rtol=2e-3)


@pytest.mark.parametrize(("symbol", "length"), [("H", -3.739), ("D", 6.671), ("C", 6.646), ("Mn", -3.73)])
def test_neutron_lengths_are_those_of_sears(symbol, length):
    table = form_factors([symbol], "neutron")
    np.testing.assert_allclose(table(np.array([0.0, 5.0]))[0], length, rtol=6e-3)
    assert table.c[0] == periodictable.elements.symbol(symbol).neutron.b_c


def test_neutron_lengths_agree_with_gemmi():
    ours = form_factors(ELEMENTS, "neutron").c
    theirs = [gemmi.Element(symbol).neutron92.calculate_sf(0.0) for symbol in ELEMENTS]
    np.testing.assert_allclose(ours, theirs, rtol=5e-3)


def test_shape_of_the_argument_is_kept():
    assert form_factors(("C", "H"))(np.zeros((3, 4))).shape == (2, 3, 4)


@pytest.mark.parametrize("radiation", ["x-ray", "neutron"])
def test_what_is_no_element_is_refused(radiation):
    with pytest.raises(ValueError, match="'Xx'"):
        form_factors(["Xx"], radiation)
