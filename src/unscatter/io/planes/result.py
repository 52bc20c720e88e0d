"""unscatter's own result as a plane to take apart again: the measured plane, /entry/I_D."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from unscatter.io.hdf5 import Store, attribute, is_hdf5, refuse_later
from unscatter.io.planes.asked import Asked
from unscatter.io.planes.nexus import read_group
from unscatter.nouns.plane import Plane

NAME = "unscatter result"
GAPS_KNOWN = True
DATASETS = "group or data set"

#: The layout written here; a reader refuses a later one.
FORMAT_VERSION = 1


def recognises(path: Path) -> bool:
    """Whether unscatter wrote the file."""
    if not is_hdf5(path):
        return False
    with Store(path) as store:
        return attribute(store.root, "format") == NAME


def read(path: Path, asked: Asked = Asked()) -> Plane:  # noqa: B008  frozen
    """Read the measured plane, /entry/I_D; raises ValueError for a file of a later unscatter."""
    with Store(path) as store:
        refuse_later(store, FORMAT_VERSION)
        plane = read_group(store, "entry/I_D")
        assert isinstance(plane, Plane), "I_D is written with two axes"
        said = store.require("entry/I_D/data")
        source, notes = attribute(said, "source"), attribute(said, "notes")
    return replace(plane, source=source, notes=tuple(notes.splitlines()))
