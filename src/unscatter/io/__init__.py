"""Files in, nouns out: one module per format, found by content; names are loaded when first used."""

from importlib import import_module
from typing import Any

_HOMES = {
    "read_plane": "planes.read",
    "read_diffraction": "planes.read",
    "read_mask": "planes.read",
    "parse_section": "planes.notation",
    "parse_plane_axes": "planes.notation",
    "cut_plane": "planes.cut",
    "read_components": "results.components",
    "write_components": "results.components",
    "write_plane": "results.components",
    "sha256_of": "files",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    """Load a public name from its module on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
