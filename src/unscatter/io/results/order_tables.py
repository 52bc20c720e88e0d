"""Tables of refined order parameters: CSV, JSON, and beside the plane in an unscatter result."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np

from unscatter.io.files import replacing, require_file
from unscatter.io.hdf5 import Store, open_own
from unscatter.io.planes.result import recognises
from unscatter.nouns.order import OrderParameters
from unscatter.nouns.order_fit import OrderFit

#: Where the table lies in the file.
GROUP = "entry/order_parameters"
_NUMBERS = ("alpha", "standard_error", "covariance_error", "bootstrap_error")


def write_csv(path: str | Path, fit: OrderFit) -> None:
    """Write one line for each parameter; the file appears whole or not at all."""
    rows = fit.rows()
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_parameters(path: str | Path, order: OrderParameters) -> None:
    """Write alphas without a fit, a line for each vector: u, v, w, alpha, standard_error."""
    error = np.full(order.alpha.shape, np.nan) if order.standard_error is None else order.standard_error
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("u", "v", "w", "alpha", "standard_error"))
        columns = zip(order.vectors.tolist(), order.alpha, error, strict=True)
        writer.writerows([*vector, alpha, one] for vector, alpha, one in columns)


def write_json(path: str | Path, fit: OrderFit) -> None:
    """Write the parameters, their correlations, notes and provenance; the file appears whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(record_of(fit), indent=1) + "\n", encoding="utf-8")


def store_order(path: str | Path, fit: OrderFit) -> None:
    """Put the table into a file that `unscatter factorize` wrote, in place of an earlier one.

    /entry/order_parameters (NXcollection) holds the columns as datasets, the correlation matrix, and all of
    `write_json` as text. Raises ValueError for another file; a copy is altered and takes its place when it is whole.
    """
    path = require_file(path)
    if not recognises(path):
        raise ValueError(f"{path} is no unscatter result; expected a file that unscatter factorize wrote")
    with replacing(path) as temporary:
        shutil.copyfile(path, temporary)
        with open_own(temporary, "r+") as file:
            if GROUP in file:
                del file[GROUP]
            group = file.create_group(GROUP)
            group.attrs["NX_class"] = "NXcollection"
            group["vector"] = fit.vectors
            group["multiplicity"] = fit.multiplicity
            group["determined"] = fit.determined.astype(np.uint8)
            for name in _NUMBERS:
                group[name] = getattr(fit, name)
            group["correlation"] = fit.correlation
            group["record"] = json.dumps(record_of(fit))
            group["record"].attrs["media_type"] = "application/json"


def read_order_record(path: str | Path) -> dict[str, object]:
    """Read what `store_order` kept, as `write_json` writes it; raises ValueError where there is none."""
    with Store(path) as store:
        text = store.text(f"{GROUP}/record")
    if not text:
        raise ValueError(f"{path} holds no order parameters; type: unscatter refine order {path}")
    record: dict[str, object] = json.loads(text)
    return record


def record_of(fit: OrderFit) -> dict[str, object]:
    """All that is kept of a fit but its planes, as plain numbers and words."""
    return {
        "laue": fit.laue,
        "against": fit.against,
        "parameters": fit.rows(),
        "correlation": fit.correlation.round(4).tolist(),
        "background": fit.background.tolist(),
        "r_factor": fit.r_factor,
        "chi2": fit.chi2,
        "pixels": fit.pixels,
        "cells": fit.cells,
        "headline": fit.headline,
        "choices": list(fit.choices),
        "notes": list(fit.notes),
        "findings": fit.findings.rows(),
        "provenance": fit.provenance,
    }
