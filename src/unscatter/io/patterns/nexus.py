"""NeXus: the default NXdata of an HDF5 file, if it is one-dimensional over two-theta.

Layout: NeXus manual, NXdata and "Associating plottable data using attributes" (P. Klosowski et al. and NIAC).
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from unscatter.io.patterns.content import Content
from unscatter.io.patterns.scan import Radiation, Scan

NAME = "NeXus NXdata"

_MAGIC = b"\x89HDF\r\n\x1a\n"
#: More points than this are no pattern.
_MOST_POINTS = 10_000_000
#: `default` attributes are followed through this many groups: file, entry, data and some to spare.
_DEEPEST = 8
_DAMAGE = (
    OSError,
    RuntimeError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    OverflowError,
    MemoryError,
    UnicodeError,
)


def accepts(content: Content) -> bool:
    """Whether the file is HDF5."""
    return content.data.startswith(_MAGIC)


def read(content: Content) -> Scan:
    """Read the signal over its two-theta axis.

    Raises ValueError if there is no such NXdata, if it has two dimensions, or if the file is damaged.
    """
    try:
        with h5py.File(BytesIO(content.data), "r") as file:
            return _scan(file, _data_group(file))
    except _DAMAGE as error:
        raise ValueError(f"an HDF5 file that cannot be read ({type(error).__name__}); copy the file again") from error


def _data_group(file: Any) -> Any:
    """The NXdata that the `default` attributes lead to, or the first in the file."""
    group = file
    for _ in range(_DEEPEST):
        name = _word(group.attrs.get("default", ""))
        group = group[name] if name and name in group else group
    if _is_data(group):
        return group
    found: list[Any] = []
    file.visititems(lambda _, item: found.append(item) if _is_data(item) else None)
    if not found:
        raise ValueError(
            "an HDF5 file without NXdata and its signal; expected NeXus: export the scan as columns of text"
        )
    return found[0]


def _is_data(item: Any) -> bool:
    return (
        isinstance(item, h5py.Group)
        and _word(item.attrs.get("NX_class")) == "NXdata"
        and _signal_name(item) is not None
    )


def _signal_name(group: Any) -> str | None:
    """The data set that the group names, or, in files older than 2014, the one that names itself."""
    if "signal" in group.attrs:
        name = _word(group.attrs["signal"])
        return name if name in group else None
    return next((name for name, item in group.items() if _word(item.attrs.get("signal")) == "1"), None)


def _axis_name(group: Any, signal: Any) -> str:
    """The axis that the group names, or the signal, or the one that names itself."""
    for owner in (group, signal):
        named = np.ravel(owner.attrs.get("axes", ""))[0]
        if _word(named):
            return _word(named)
    return next((name for name, item in group.items() if _word(item.attrs.get("axis")) == "1"), "")


def _scan(file: Any, group: Any) -> Scan:
    name = _signal_name(group) or ""
    signal = group[name]
    if signal.ndim != 1 or signal.size > _MOST_POINTS:
        raise ValueError(
            f"signal {name!r} has shape {signal.shape}; expected one dimension over two-theta: integrate it first"
        )
    errors = next((group[key] for key in (f"{name}_errors", "errors") if key in group), None)
    return Scan(
        two_theta=_two_theta(group, _axis_name(group, signal)),
        intensity=_floats(signal),
        sigma=None if errors is None else _floats(errors),
        wavelength=_wavelength(file),
        radiation=_probe(file),
        title=_title(group),
        simulated=bool(group.attrs.get("simulated", False)),
    )


def _two_theta(group: Any, axis: str) -> NDArray[np.float64]:
    if axis not in group or not any(word in axis.lower() for word in ("theta", "polar")):
        raise ValueError(f"axis {axis!r} is not two-theta; expected @axes to name two_theta or polar_angle")
    angles = _floats(group[axis])
    return np.degrees(angles) if _word(group[axis].attrs.get("units", "deg")).startswith("rad") else angles


def _wavelength(file: Any) -> float | None:
    """The first single number called wavelength anywhere in the file, in Angstrom."""
    for item in _named(file, "wavelength"):
        if item.size == 1:
            nanometres = _word(item.attrs.get("units", "")).startswith("n")
            return float(_floats(item)[0]) * (10 if nanometres else 1)
    return None


def _probe(file: Any) -> Radiation | None:
    words = " ".join(_word(item[()]).lower() for item in _named(file, "probe"))
    return "neutron" if "neutron" in words else "x-ray" if "x-ray" in words or "xray" in words else None


def _title(group: Any) -> str:
    return _word(group["title"][()]) if "title" in group else ""


def _named(file: Any, word: str) -> list[Any]:
    """Data sets whose last name holds a word, in the order of the file."""
    found: list[Any] = []

    def look(path: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and word in path.rsplit("/")[-1].lower():
            found.append(item)

    file.visititems(look)
    return found


def _floats(data: Any) -> NDArray[np.float64]:
    return np.ravel(np.asarray(data[()], dtype=np.float64))


def _word(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
