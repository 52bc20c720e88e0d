"""The input file of TOPAS, .inp: Le Bail extraction."""

from __future__ import annotations

from numpy.polynomial.chebyshev import chebfit

from unscatter.io.results.start_files.start import DOUBLET, Start

_DEGREE = 5
# Names of the cell, and those that are refined, by crystal system; the others are held or made equal.
_EDGES, _ANGLES = ("a", "b", "c"), ("al", "be", "ga")
_FREE = {
    "triclinic": "a b c al be ga",
    "monoclinic": "a b c be",
    "orthorhombic": "a b c",
    "tetragonal": "a c",
    "trigonal": "a c",
    "hexagonal": "a c",
    "cubic": "a",
}


def topas_text(start: Start) -> str:
    """Input file of a start: hkl_Is with lebail 1, TCHZ_Peak_Type with u, v, w in deg^2 and x tan + y / cos in degrees.

    Shifts are th2_offset, in degrees, for zero and displacement. The lean of axial divergence needs the radius of the
    diffractometer and is a comment. Source: TOPAS Technical Reference, keywords and macros.
    """
    u, v, w, size, strain = start.widths
    fit = start.fit
    numbers = {"u": u, "v": v, "w": w, "z": 0.0, "x": strain, "y": size}
    shape = ", ".join(f"{'!' if name == 'z' else ''}pk{name}, {value:.6f}" for name, value in numbers.items())
    layout = " xye_format" if start.data_name.lower().endswith(".xye") else ""
    lines = [
        f"' {start.title}: start from unscatter classify",
        "r_wp 0 r_exp 0 r_p 0 gof 0",
        f'xdd "{start.data_name}"{layout}',
        f"   bkg @ {' '.join(f'{number:.4f}' for number in _background(start))}",
        "   lam",
        "      ymin_on_ymax 0.0001",
        *_beam(start),
        f"   prm zero {fit.zero:.5f} min -0.5 max 0.5",
        f"   prm !displacement {fit.displacement:.5f} min -0.5 max 0.5",
        "   th2_offset = zero + displacement Cos(Th);",
        f"   ' axial divergence: half heights of sample and detector over their distance {fit.axial:.5f};",
        "   ' Simple_Axial_Model(@, length in mm) makes lines lean where the radius is known",
        "   hkl_Is",
        "      lebail 1",
        '      phase_name "start"',
        f'      space_group "{topas_symbol(start)}"',
        *(f"      {line}" for line in _cell(start)),
        f"      TCHZ_Peak_Type({shape})",
    ]
    return "\n".join(lines) + "\n"


def topas_symbol(start: Start) -> str:
    """Symbol as TOPAS has it: second origins by :2, hexagonal axes by :H."""
    return str(start.group.xhm()).replace(" ", "")


def _beam(start: Start) -> list[str]:
    second = start.pattern.second_wavelength
    lines = [(1.0, start.wavelength)] + ([] if second is None else [(DOUBLET, second)])
    return [f"      la {share:g} lo {wavelength:.7g} lh 0.001" for share, wavelength in lines]


def _background(start: Start) -> list[float]:
    two_theta = start.pattern.two_theta
    x = 2 * (two_theta - two_theta[0]) / (two_theta[-1] - two_theta[0]) - 1
    return [float(number) for number in chebfit(x, start.fit.background, _DEGREE)]


def _cell(start: Start) -> list[str]:
    free = _FREE[str(start.group.crystal_system_str())].split()
    lines = []
    for name, value in zip(_EDGES + _ANGLES, start.cell.parameters, strict=True):
        if name in _EDGES and name not in free:
            lines.append(f"{name} = Get(a);")
        else:
            lines.append(f"{name} {'@ ' if name in free else ''}{value:.6f}")
    return lines
