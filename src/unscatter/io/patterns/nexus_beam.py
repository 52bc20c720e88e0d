"""The beam of a NeXus entry: its wavelength, in Angstrom, and whether it is of neutrons or X-rays."""

from __future__ import annotations

import numpy as np

from unscatter.io.hdf5 import Node, Store, as_text, attribute, is_class
from unscatter.io.patterns.header import facts, wavelength_of
from unscatter.io.patterns.nexus_conditions import Around
from unscatter.io.patterns.scan import Radiation
from unscatter.quantities import parse_quantity

_WAVELENGTHS = ("wavelength", "incident_wavelength", "lambda", "wave_length", "beam_wavelength", "wl")
#: A beam has at most so many wavelengths.
_MOST_LINES = 16
_ENERGIES = ("energy", "incident_energy", "photon_energy", "beam_energy", "mono_energy")
#: Groups whose energy is not that of the beam on the sample: of a ring, of a detector.
_OTHER_ENERGIES = ("NXsource", "NXdetector", "NXinsertion_device")
#: Texts in which a configuration is looked for.
_MOST_TEXTS = 200


def find_wavelength(store: Store, around: Around, radiation: str | None) -> tuple[float | None, float | None, str]:
    """Wavelength in Angstrom that the entry of the data states, or of the energy of its beam; K-alpha 2; and words.

    One that stands in a monochromator or a beam comes before others.
    """
    for names, energy in ((_WAVELENGTHS, False), (_ENERGIES, True)):
        found: list[tuple[int, float, str]] = []
        for path, node in around:
            above, _, last = path.rpartition("/")
            if last.lower() not in names or hasattr(node, "keys") or node.dtype.kind not in "fiuSO" or not node.size:
                continue
            units = attribute(node, "units") or attribute(node, "unit")
            if energy and (not units or any(is_class(store.get(above), other) for other in _OTHER_ENERGIES)):
                continue
            if not energy and (pair := _doublet(node, units)):
                return (*pair, "")
            value = wavelength_of(_strongest(store, path, node), units, radiation)
            if value is not None:
                found.append((_rank(store, above), value, path))
        if found:
            _, value, path = min(found, key=lambda one: one[0])
            others = [f"{other:.5g} A of {place}" for _, other, place in found if abs(other - value) > 1e-3 * value]
            return value, None, f"the wavelength is that of {path}, not {', '.join(others[:3])}" if others else ""
    said = _wavelength_in_attributes(store, around, radiation)
    return said or _wavelength_in_json(store, around), None, ""


def _rank(store: Store, above: str) -> int:
    """How likely the wavelength in a group is that of the beam: 0 is the likeliest."""
    holder, last = store.get(above) if above else None, above.rpartition("/")[2].lower()
    if is_class(holder, "NXmonochromator") or "mono" in last:
        return 0
    if is_class(holder, "NXbeam") or last in ("beam", "instrument", "source", "incident_beam"):
        return 1
    return 2 if "/instrument" in f"/{above.lower()}" else 3


def _doublet(node: Node, units: str) -> tuple[float, float] | None:
    """K-alpha 1 and 2 where a data set holds two wavelengths as near as these."""
    if node.dtype.kind not in "fiu" or node.size != 2:
        return None
    values = [wavelength_of(float(value), units) or 0.0 for value in np.sort(np.ravel(node[()]))]
    return (values[0], values[1]) if values[0] > 0 and 1.001 < values[1] / values[0] < 1.01 else None


def _wavelength_in_json(store: Store, around: Around) -> float | None:
    """The wavelength of a configuration that is kept as a text of JSON, as pyFAI does."""
    texts = [path for path, node in around if not hasattr(node, "keys") and node.dtype.kind in "SO" and node.size == 1]
    for path in texts[:_MOST_TEXTS]:
        text = store.text(path).strip()
        if text.startswith("{") and (found := facts(text.split("\n"))["wavelength"]) is not None:
            return float(found)
    return None


def _strongest(store: Store, path: str, node: Node) -> float | str | None:
    """The one number or text, or, of a few, that of the largest weight; None where it differs from point to point."""
    if node.dtype.kind in "SO":
        return store.text(path)
    values = np.ravel(node[()]).astype(np.float64) if node.size <= _MOST_LINES else np.empty(0)
    if values.size and np.ptp(values) == 0:
        return float(values[0])
    weights = store.dataset(f"{path}_weights") if values.size else None
    if weights is None or weights.size != values.size or weights.dtype.kind not in "fiu":
        return None
    return float(values[int(np.argmax(np.ravel(weights[()])))])


def find_probe(around: Around) -> Radiation | None:
    """The radiation that a data set `probe` names; None where none does, or another."""
    words = " ".join(
        as_text(node[()]).lower()
        for path, node in around
        if path.rsplit("/", 1)[-1] == "probe" and not hasattr(node, "keys") and node.size == 1
    )
    return "neutron" if "neutron" in words else "x-ray" if "x-ray" in words or "xray" in words else None


def _wavelength_in_attributes(store: Store, around: Around, radiation: str | None) -> float | None:
    """The wavelength that an attribute of a group or a data set gives, with its unit in the text, or in Angstrom."""
    entries = {path.split("/")[0] for path, _ in around}
    nodes = [*(node for _, node in around), *(store.get(entry) for entry in sorted(entries)), store.root]
    for node in nodes:
        for name in set(node.attrs) & set(_WAVELENGTHS):
            said = attribute(node, name)
            number = parse_quantity(said)
            units = attribute(node, f"{name}_units") or attribute(node, f"{name}_unit")
            value = None if number is None else wavelength_of(number[0], number[1] or units, radiation)
            if value is not None:
                return value
    return None
