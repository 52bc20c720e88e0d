"""Cell and space group as CIF."""

from __future__ import annotations

import gemmi

from unscatter.io.results.start_files.start import Start
from unscatter.nouns.table import with_error

_NAMES = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
_DUMMY = ("X1", "H", "0", "0", "0", "0", "dum")
_NOTE = (
    "Cell and space group of a whole-pattern fit without a structure. X1 is no atom: some programs read no CIF without."
)


def cif_text(start: Start) -> str:
    """CIF of a start: cell with s.u., group with its operations, wavelength, and one site that is flagged as a dummy.

    Source: IUCr core dictionary, _atom_site_calc_flag "dum"; GSAS-II imports a phase only where there are coordinates.
    """
    document = gemmi.cif.Document()
    block = document.add_new_block("unscatter_start")
    block.set_pair("_audit_creation_method", gemmi.cif.quote(_NOTE))
    block.set_pair("_pd_phase_name", gemmi.cif.quote(start.title))
    for name, value, error in zip(_NAMES, start.cell.parameters, start.cell_error, strict=True):
        block.set_pair(f"_cell_{name}", _number(value, error))
    block.set_pair("_cell_volume", f"{start.cell.volume:.4f}")
    block.set_pair("_space_group_IT_number", str(start.group.number))
    block.set_pair("_space_group_name_H-M_alt", gemmi.cif.quote(start.group.hm))
    block.set_pair("_space_group_name_Hall", gemmi.cif.quote(start.group.hall))
    block.set_pair("_diffrn_radiation_probe", "neutron" if start.neutron else "x-ray")
    block.set_pair("_diffrn_radiation_wavelength", f"{start.wavelength:.7g}")
    operations = block.init_loop("_space_group_symop_", ["operation_xyz"])
    for operation in start.group.operations():
        operations.add_row([gemmi.cif.quote(operation.triplet())])
    columns = ["label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy", "calc_flag"]
    block.init_loop("_atom_site_", columns).add_row(list(_DUMMY))
    return str(document.as_string())


def _number(value: float, error: float) -> str:
    """A value with its s.u. in brackets; without one where that is fixed, or too small or large for brackets."""
    text = with_error(value, error) if error > 0 else ""
    return text if text and " " not in text else f"{value:.8g}"
