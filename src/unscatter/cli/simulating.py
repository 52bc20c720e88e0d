"""Commands that write frozen sets of simulated data, and the lines they are drawn from."""

from __future__ import annotations

from pathlib import Path

from tyro.conf import Positional

from unscatter.cli.screen import Flat, Screen, say
from unscatter.jobs import simulate as job
from unscatter.jobs.simulate import SimulateDiffuseOptions, SimulatePowderOptions, SimulateReflectionsOptions
from unscatter.workers import Workers


def simulate_diffuse(
    out: Path,
    options: Flat[SimulateDiffuseOptions] = SimulateDiffuseOptions(),
    workers: Flat[Workers] = Workers(),
    screen: Flat[Screen] = Screen(),
) -> int:
    """Write a frozen set of simulated planes with their I_FF and I_SRO; goes on where it was interrupted.

    Args:
        out: HDF5 file to write.
    """
    count = job.simulate_diffuse(out, options, progress=not screen.quiet, workers=workers)
    screen.tell(f"{count} samples", {"samples": count}, (out,))
    return 0


def simulate_powder(
    out: Path,
    options: Flat[SimulatePowderOptions] = SimulatePowderOptions(),
    workers: Flat[Workers] = Workers(),
    screen: Flat[Screen] = Screen(),
) -> int:
    """Write a frozen set of simulated powder patterns with their space groups; goes on where it was interrupted.

    Args:
        out: HDF5 file to write.
    """
    count = job.simulate_powder(out, options, progress=not screen.quiet, workers=workers)
    screen.tell(f"{count} samples", {"samples": count}, (out,))
    return 0


def simulate_reflections(
    sources: Positional[tuple[Path, ...]],
    /,
    out: Path,
    options: Flat[SimulateReflectionsOptions] = SimulateReflectionsOptions(),
    screen: Flat[Screen] = Screen(),
) -> int:
    """Compute the lines of many structures once, neutrons and X-rays, for training; goes on where it was interrupted.

    Args:
        sources: folders or zips of CIFs, .parquet or .csv tables of structures, random crystals (random:40000), or the
            Materials Project by chemical system or ids, with your key in MP_API_KEY: mp:Fe-O, mp:mp-19770,mp-24972.
        out: HDF5 file to write, about 2 kB a structure.
    """
    failed = job.simulate_reflections(sources, out, options, progress=not screen.quiet)
    for name, reason in failed.items():
        say(f"left out {name}: {reason}", error=True)
    screen.tell(f"{len(failed)} structures left out", {"left_out": failed}, (out,))
    return 0
