"""Job: refine Warren-Cowley parameters from planes that were taken apart."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator
from tyro.conf import arg

from unscatter.diffuse.refine.disorder_model import read_models
from unscatter.diffuse.refine.molecules import model_form_factor
from unscatter.diffuse.refine.order import refine_order as refine
from unscatter.io.planes.npy import read as read_npy
from unscatter.io.results.components import read_components
from unscatter.io.results.order_tables import store_order, write_csv, write_json
from unscatter.io.results.picture import save_figure
from unscatter.jobs.options import CHECKED, OneOrMany, Text, checked_dataclass, make_options, part_of, with_keywords
from unscatter.jobs.provenance import record
from unscatter.nouns.components import Components
from unscatter.nouns.order_fit import OrderFit

JOB = "refine order"

#: A result of `unscatter factorize`, or what it holds; or several, of one crystal.
OrderSource: TypeAlias = str | Path | Components | Sequence[str | Path | Components]


def _vector_texts(value: Any) -> Any:
    """Vectors as text, given as "1,0,0" or (1, 0, 0)."""
    if not isinstance(value, tuple | list):
        return value
    return tuple(one if isinstance(one, str) else ",".join(str(number) for number in one) for one in value)


@checked_dataclass(frozen=True, kw_only=True, config=CHECKED)
class OrderOptions:
    """How alphas are refined: keywords of diffuse.refine.refine_order."""

    against: Literal["data", "order"] = "data"
    """data refines I_FF with the alphas; order takes I_SRO as it is, and lets the s.u. hold what errors of I_FF do."""
    laue: Text = None
    """-1, 2/m, mmm, 4/m, 4/mmm, -3, -3m, 6/m, 6/mmm, m-3, m-3m; without it -1, which is never wrong."""
    vectors: Annotated[tuple[str, ...], arg(metavar="U,V,W"), BeforeValidator(_vector_texts), OneOrMany] = ()
    """vectors to refine, one of each set of equivalents: 1,0,0 2,0,0 2,1,0."""
    radius: float | None = None
    """all vectors up to this length in Angstrom; without it and --vectors the data choose how far the list goes."""
    in_plane: bool | None = None
    """take vectors that differ along the normal as one; without it, unless the planes tell them apart."""
    exclude: float = 0.05
    """with --against order, leave out pixels with I_FF below this fraction of its maximum."""
    saturation: float | None = None
    """intensities from here on are only known to be at least this; without it, what factorize was told."""
    background: bool = True
    """refine a constant background of each plane."""
    reach: float | None = None
    """largest distance in Angstrom that the refined I_FF resolves; without it, chosen by the data."""
    form_factor_spread: float = 0.4
    """how far the refined I_FF may depart from the network's, in units of its radial mean."""
    concentration: float = 0.5
    """fraction of A, to check the alphas against."""
    bootstrap: int = 200
    """number of draws of reciprocal cells."""
    seed: int = 0
    """of these draws."""


@checked_dataclass(frozen=True, kw_only=True, config=CHECKED)
class KnownFormFactor:
    """What I_FF is, where it is known."""

    form_factor: Path | None = None
    """.npy with I_FF known up to scale, of the shape of the plane, instead of the refined one."""
    model_a: Text = None
    """molecule A, to know I_FF from structure files: CIF, SDF or XYZ; file.cif#2 takes disorder group 2."""
    model_b: str = "vacancy"
    """molecule B: a file as for A, "vacancy", or an operation that makes B of A, such as x,y,1/2-z."""
    generate: Annotated[tuple[str, ...], arg(metavar="X,Y,Z"), OneOrMany] = ()
    """operations that complete what the files list, such as -y,x-y,z for the arms of a molecule."""
    debye_waller: float | None = None
    """D_w of the model in Angstrom^2; without it, refined against I_FF of each plane."""
    radiation: Literal["x-ray", "neutron"] = "x-ray"
    """what was scattered, for the model."""


@checked_dataclass(frozen=True, kw_only=True, config=CHECKED)
class RefineOrderOptions(KnownFormFactor, OrderOptions):
    """How alphas are refined, and what is known of I_FF."""


def run(source: OrderSource, options: RefineOrderOptions = RefineOrderOptions()) -> OrderFit:
    """Refine one set of alphas for all planes.

    Raises ValueError for options that contradict each other or planes that hold too little, FileNotFoundError for no
    such file.
    """
    sources = _each(source)
    _check(options, len(sources))
    planes = [one if isinstance(one, Components) else read_components(one) for one in sources]
    options = replace(options, saturation=_saturation(planes, options))
    keywords = part_of(options, OrderOptions)
    keywords["vectors"] = [_vector(text) for text in options.vectors] or None
    known = _known_form_factors(planes, options)
    if known is not None:
        keywords |= {"against": "form-factor", "form_factors": known}
    fit = refine(planes, **keywords)
    return replace(fit, provenance={**fit.provenance, **record(JOB, options, sources)})


@with_keywords(RefineOrderOptions)
def refine_order(source: OrderSource, **options: Any) -> OrderFit:
    """Refine Warren-Cowley parameters, eq. (3), from planes taken apart, as `unscatter refine order` does.

    source: a result of `unscatter factorize` or the Components of it, or several of one crystal. Raises ValueError for
    options that contradict each other or planes that hold too little, FileNotFoundError for no such file.
    """
    return run(source, make_options(RefineOrderOptions, options, JOB))


def write(fit: OrderFit, stem: str | Path, *, store_in: Path | None = None, picture: bool = True) -> tuple[Path, ...]:
    """Write STEM.order.csv, .json and, if a picture is wanted, .png; the folder is made.

    store_in: a result to keep the table in too. Where it lies in another folder than the tables it stays as it is,
    and a copy beside the tables gets the table.
    """
    targets = [Path(f"{stem}.order.{kind}") for kind in ("csv", "json", "png")]
    folder = targets[0].parent
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(targets[0], fit)
    write_json(targets[1], fit)
    if picture:
        save_figure(fit.plot(), targets[2])
    written = targets[: 2 + picture]
    if store_in is not None:
        home = folder / store_in.name
        if home.resolve() != store_in.resolve():
            shutil.copyfile(store_in, home)
        store_order(home, fit)
        written.append(home)
    return tuple(written)


def _saturation(planes: Sequence[Components], options: RefineOrderOptions) -> float | None:
    said = [plane.provenance["saturation"] for plane in planes if "saturation" in plane.provenance]
    return options.saturation if options.saturation is not None or not said else float(min(said))


def _each(source: OrderSource) -> list[str | Path | Components]:
    sources = [source] if isinstance(source, str | Path | Components) else list(source)
    if not sources:
        raise ValueError("no result given; type for example: unscatter refine order plane.factorized.h5 --laue 6/m")
    return sources


def _check(options: RefineOrderOptions, planes: int) -> None:
    """Refuse options that contradict each other."""
    if options.form_factor is not None and planes > 1:
        raise ValueError("--form-factor knows one plane; refine several with --model-a")
    if (options.form_factor is not None or options.model_a is not None) and options.against == "order":
        raise ValueError("--against order takes I_FF as factorized: leave out --form-factor and --model-a")
    if options.form_factor is not None and options.model_a is not None:
        raise ValueError("--form-factor and --model-a both say what I_FF is; give one of them")


def _known_form_factors(planes: list[Components], options: RefineOrderOptions) -> list[Any] | None:
    if options.form_factor is not None:
        return [read_npy(options.form_factor).intensity]
    if options.model_a is None:
        return None
    (model,) = read_models([options.model_a], [options.model_b], options.generate)
    given = (options.debye_waller, options.radiation, options.saturation)
    return [model_form_factor(one, model, *given) for one in planes]


def _vector(text: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != 3 or not any(numbers):
        raise ValueError(f"vector {text!r} is not known: expected three whole numbers, not all zero, such as 1,0,0")
    return numbers
