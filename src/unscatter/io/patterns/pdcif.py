"""Powder CIF: intensities in a loop, positions in the same loop or as a range with an increment.

Names: IUCr powder dictionary cif_pd.dic, also with the dots of its later form; B. H. Toby et al., J. Appl. Cryst. 36,
1290 (2003).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unscatter.io.patterns.cif_blocks import WAVELENGTH, Block, blocks_of
from unscatter.io.patterns.conditions import conditions
from unscatter.io.patterns.content import Content
from unscatter.io.patterns.scan import TWO_THETA, Radiation, Scan, grid
from unscatter.quantities import Quantity
from unscatter.tubes import K_ALPHA_1

NAME = "powder CIF"
BLOCKS = "name of the data block"
ASSUMES: tuple[str, ...] = (
    "of several blocks the first that can be used is read, one with two-theta before one with d or Q",
    "processed intensities are used before measured ones, totals before net ones, calculated ones only if no other",
    "a block without a wavelength takes that of blocks without a pattern, never that of another pattern",
    "of several wavelengths that of the largest weight is used",
)

#: Intensities, the first that holds numbers is used; net ones lack the background that counts need.
INTENSITIES = (
    "_pd_proc_intensity_total",
    "_pd_meas_intensity_total",
    "_pd_meas_counts_total",
    "_pd_proc_intensity_net",
    "_pd_meas_intensity_net",
)
CALCULATED = ("_pd_calc_intensity_total", "_pd_calc_intensity_net")
_Q = Quantity("Q", "inverse length", name="Q", unit_given=True)
_D = Quantity("d", "length", name="d", unit_given=True)
#: Positions, the first that matches the intensities is used; those measured are still to be calibrated.
POSITIONS: dict[str, Quantity] = {
    "_pd_proc_2theta_corrected": TWO_THETA,
    "_pd_meas_2theta_scan": TWO_THETA,
    "_pd_meas_angle_2theta": TWO_THETA,
    "_pd_proc_recip_len_q": _Q,
    "_pd_proc_d_spacing": _D,
}
RANGES = ("_pd_proc_2theta_range", "_pd_meas_2theta_range")
#: Counts are divided by these where they differ from point to point.
_SCALES = ("_pd_meas_step_count_time", "_pd_meas_counts_monitor", "_pd_meas_intensity_monitor")
#: What tells of a correction that the dictionary does not say to be in the intensities, or not.
_CORRECTIONS = (
    "_pd_meas_counts_background",
    "_pd_meas_counts_container",
    "_pd_meas_intensity_background",
    "_pd_meas_intensity_container",
    "_pd_calib_detector_response",
    "_pd_proc_intensity_incident",
    "_pd_proc_intensity_norm",
    "_pd_instr_var_illum_len",
)
_SHIFT = re.compile(r"zero|displacement|2theta_(?:shift|error)")
_DATA_BLOCK = re.compile(r"^data_\S*", re.MULTILINE | re.IGNORECASE)
_ANODE = re.compile(rf"\b({'|'.join(K_ALPHA_1)})\s*K\s*\\?(?:a|alpha)", re.IGNORECASE)
#: Characters in which the first data block and the first name are looked for.
_HEAD = 2**18

Column = NDArray[np.float64]


@dataclass(frozen=True)
class _Found:
    """Where the pattern of a block is: tag of its intensities, positions as they stand, and what these are."""

    block: Block
    tag: str
    positions: Column
    axis: Quantity
    corrected: bool


def recognises(content: Content) -> bool:
    """Whether the text has a data block and names of CIF."""
    top = content.text[:_HEAD]
    return bool(_DATA_BLOCK.search(top)) and bool(re.search(r"^\s*_\w", top, re.MULTILINE))


def read(content: Content) -> Scan:
    """Read the first block that can be used, or the one that was asked for by its name.

    Raises ValueError if no block can be used, if the angles are missing or do not match, and for damaged CIF.
    """
    blocks = blocks_of(content.text)
    wanted = [block for block in blocks if not content.block or block.name.lower() == content.block.lower()]
    if not wanted:
        names = [block.name for block in blocks[:12]]
        raise ValueError(
            f"no data block {content.block!r}; the file has {', '.join(names) or 'none'}: choose for example "
            f"--block {names[0] if names else 'NAME'}"
        )
    found, reasons = _choose(wanted)
    if found is None:
        raise ValueError(reasons[0] if reasons else _no_pattern())
    others = [block.name for block in blocks if block is not found.block and _intensity_tag(block) is not None]
    told = f"data block {found.block.name} is read, not {', '.join(others[:8])} (--block chooses)" if others else ""
    return _scan(blocks, found).telling(told)


def _choose(blocks: list[Block]) -> tuple[_Found | None, list[str]]:
    """The first block of measured intensities, over two-theta if there is such a one; and why others cannot be used."""
    candidates: list[_Found] = []
    reasons: list[str] = []
    for block in blocks:
        tag = _intensity_tag(block)
        if tag is None:
            continue
        try:
            candidates.append(_find(block, tag))
        except ValueError as error:
            reasons.append(str(error))
    candidates.sort(key=lambda found: (found.tag in CALCULATED, found.axis.kind != "two-theta"))
    return next(iter(candidates), None), reasons


def _intensity_tag(block: Block) -> str | None:
    for tag in (*INTENSITIES, *CALCULATED):
        values, _ = block.column(tag)
        if values.size > 1 and np.isfinite(values).sum() > 1:
            return tag
    return None


def _find(block: Block, tag: str) -> _Found:
    count = len(block.tags[tag])
    for name, axis in POSITIONS.items():
        positions, _ = block.column(name)
        # a column that is all "?" is none
        if positions.size == count and np.isfinite(positions).sum() > count / 2:
            return _Found(block, tag, positions, axis, name.startswith("_pd_proc"))
    for name in RANGES:
        ends = [block.number(f"{name}_{end}") for end in ("min", "max", "inc")]
        if all(end is not None for end in ends):
            start, stop, step = (end for end in ends if end is not None)
            positions = _checked_grid(start, stop, step, count)
            return _Found(block, tag, positions, TWO_THETA, name.startswith("_pd_proc"))
    if "_pd_meas_time_of_flight" in block.tags:
        raise ValueError(
            f"data block {block.name} is over time of flight; expected two-theta, d or Q: export it over d as columns "
            "and type --axis d --wavelength 1.0"
        )
    raise ValueError(
        f"{count} intensities but no two-theta for them; expected _pd_meas_2theta_scan, "
        "_pd_proc_2theta_corrected or _pd_meas_2theta_range_min, _max and _inc: add it to the file"
    )


def _no_pattern() -> str:
    return (
        "a CIF without a powder pattern (perhaps a crystal structure); expected a loop with _pd_meas_counts_total or "
        "_pd_proc_intensity_total: give the CIF with the measured pattern"
    )


def _scan(blocks: list[Block], found: _Found) -> Scan:
    block = found.block
    intensity, sigma = block.column(found.tag)
    stated, _ = block.column(f"{found.tag}_su")
    sigma = stated if stated.size == intensity.size else sigma
    intensity, excluded = _without_excluded(block, intensity)
    positions, told = _calibrated(block, found)
    intensity, scaled, scaling = _same_conditions(block, found.tag, intensity, sigma)
    first, second, of_wavelength = wavelengths(blocks, block)
    simulated = found.tag in CALCULATED
    equation = block.text("_pd_calib_conversion_eqn").strip(" ?.")
    if equation and not found.corrected:
        told.append(f"the conversion of the positions that the file describes was not applied: {equation[:60]!r}")
    if block.twice:
        told.append(f"{', '.join(block.twice[:5])} occur twice in the block, with other values: the first are used")
    told += [] if found.corrected else _shifts(block)
    regions = " ".join(block.text("_pd_proc_info_excluded_regions").split()).strip(" ?.")
    if regions and regions.lower() not in ("none", "no"):
        told.append(f"regions that the refinement excluded are part of the pattern: {regions[:80]!r}")
    told += [
        excluded,
        *scaling,
        *of_wavelength,
        "the block holds no measured intensities: those calculated are read" * simulated,
    ]
    return Scan(
        positions=positions,
        intensity=intensity,
        sigma=scaled if np.isfinite(scaled).any() else None,
        axis=found.axis,
        wavelength=first,
        second_wavelength=second,
        radiation=_radiation(blocks, block),
        title=block.name,
        simulated=simulated,
    ).telling(*told)


def _shifts(block: Block) -> list[str]:
    """Shifts of the angles that a program of its own tags names, such as a zero point that was refined."""
    named = [tag for tag, values in block.tags.items() if len(values) == 1 and _SHIFT.search(tag)]
    return list(conditions(f"{tag.strip('_')} = {block.text(tag)}" for tag in named))


def _without_excluded(block: Block, intensity: Column) -> tuple[Column, str]:
    """Intensities, NaN where the refinement gave a point no weight but gave others one; and how many these are."""
    weights, _ = block.column("_pd_proc_ls_weight")
    if weights.size != intensity.size:
        return intensity, ""
    excluded = ~(weights > 0) & np.isfinite(intensity)
    count = int(excluded.sum())
    if not count or count > 0.5 * intensity.size:
        return intensity, ""
    return np.where(excluded, np.nan, intensity), f"{count} points without weight (_pd_proc_ls_weight) are not used"


def _calibrated(block: Block, found: _Found) -> tuple[Column, list[str]]:
    """Positions with the offset of the file added, 2theta = 2theta_meas + offset, where they are not corrected yet."""
    offsets, _ = block.column("_pd_calib_2theta_offset")
    offsets = offsets[np.isfinite(offsets)]
    if found.corrected or not np.any(offsets):
        return found.positions, []
    if offsets.size == 1:
        return found.positions + offsets[0], [f"the offset of the file, {offsets[0]:g} deg, was added to two-theta"]
    low, high, points = (block.column(f"_pd_calib_2theta_off_{name}")[0] for name in ("min", "max", "point"))
    if points.size == offsets.size:
        added = np.interp(found.positions, points, offsets)
    elif low.size == high.size == offsets.size:
        added = np.zeros(found.positions.size)
        for first, last, offset in zip(low, high, offsets, strict=True):
            added[(found.positions >= first) & (found.positions <= last)] = offset
    else:
        raise ValueError(
            f"{offsets.size} offsets of two-theta without _pd_calib_2theta_off_point or _off_min and _off_max; "
            "expected where each of them holds: add it to the file"
        )
    return found.positions + added, [f"the {offsets.size} offsets of the file were added to two-theta"]


def _same_conditions(block: Block, tag: str, intensity: Column, sigma: Column) -> tuple[Column, Column, list[str]]:
    """Counts relative to the counting time and the monitor of each point, where these differ."""
    told = [
        f"{name} of the file was neither applied nor taken back"
        for name in _CORRECTIONS
        if (values := block.column(name)[0]).size == intensity.size and np.nanmax(values) > np.nanmin(values)
    ]
    for name in _SCALES if tag.startswith("_pd_meas") else ():
        scale, _ = block.column(name)
        if scale.size == intensity.size and np.all(scale > 0) and np.ptp(scale) > 1e-3 * scale.mean():
            if not np.isfinite(sigma).any():
                sigma = np.sqrt(np.maximum(intensity, 1.0))
            relative = scale / scale.mean()
            intensity, sigma = intensity / relative, sigma / relative
            told.append(f"the intensity was divided by {name}")
        elif scale.size > 1 and np.nanmax(scale) > 1.001 * np.nanmin(scale):
            told.append(
                f"{name} was not applied: {scale.size} values for {intensity.size} points, or some of them zero"
            )
    return intensity, sigma, told


def _checked_grid(start: float, stop: float, step: float, count: int) -> Column:
    # a few files count one point more or less than their range has steps
    if not step or not abs((stop - start) / step + 1 - count) < 1.5:
        raise ValueError(f"range {start:g} to {stop:g} by {step:g} deg does not have {count} points; correct it")
    return grid(start, step, count)


def _places(blocks: list[Block], block: Block) -> list[Block]:
    """The block itself, then those that hold no pattern of their own: what is common to all stands there."""
    return [block, *(other for other in blocks if other is not block and _intensity_tag(other) is None)]


def wavelengths(blocks: list[Block], block: Block) -> tuple[float | None, float | None, list[str]]:
    """First and second wavelength in Angstrom, and what is told of the choice."""
    for place in _places(blocks, block):
        for tag in ("_pd_proc_wavelength", WAVELENGTH):
            values, _ = place.column(tag)
            values = values[np.isfinite(values)]
            if tag.startswith("_pd") and values.size and np.ptp(values) > 0:
                continue
            if values.size and np.all(values > 0):
                weights, _ = place.column(f"{WAVELENGTH}_wt")
                first, second, told = _strongest(values, weights)
                from_other = f"the wavelength is that of data block {place.name}" if place is not block else ""
                return first, second, [*told, from_other]
    for place in _places(blocks, block):
        if anode := _ANODE.search(place.text("_diffrn_radiation_type")):
            name = anode.group(1).capitalize()
            return K_ALPHA_1[name], None, [f"K-alpha 1 of {name} is assumed, as no wavelength is given"]
        if (name := place.text("_diffrn_source_target").strip().capitalize()) in K_ALPHA_1:
            return K_ALPHA_1[name], None, [f"K-alpha 1 of the target {name} is assumed, as no wavelength is given"]
    return None, None, []


def _strongest(values: Column, weights: Column) -> tuple[float, float | None, list[str]]:
    """The wavelength of the largest weight, the next one of the same doublet, and the others in words."""
    values = np.array(list(dict.fromkeys(values.tolist()))) if weights.size != values.size else values
    weighted = weights.size == values.size and bool(np.all(np.isfinite(weights)))
    order = np.argsort(-weights, kind="stable") if weighted else np.arange(values.size)
    if not weighted and values.size > 1 and 0 < values[0] - values[1] < 0.01 * values[0]:
        # of a doublet without weights the shorter is K-alpha 1
        order[:2] = 1, 0
    first = float(values[order[0]])
    near = [float(values[i]) for i in order[1:] if 0 < abs(float(values[i]) - first) < 0.02 * first]
    second = near[0] if near else None
    left = [f"{value:g}" for value in values[order[1:]].tolist() if value not in (first, second)]
    return first, second, [f"of the wavelengths {first:g} A is used, not {', '.join(left)}"] if left else []


def _radiation(blocks: list[Block], block: Block) -> Radiation | None:
    for place in _places(blocks, block):
        probe = f"{place.text('_diffrn_radiation_probe')} {place.text('_diffrn_radiation_type')}"
        if "neutron" in probe.lower():
            return "neutron"
        if re.search(r"x-?ray|k\\a|synchrotron", probe, re.IGNORECASE):
            return "x-ray"
    return None
