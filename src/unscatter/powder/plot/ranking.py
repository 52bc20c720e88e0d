"""The picture of a ranking: the pattern with its background, and bars for what it may be.

Drawn with Pillow and the font that comes with matplotlib: importing matplotlib alone takes longer than reading the
pattern and asking the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from unscatter.nouns.ranking import Candidate, Ranking
from unscatter.powder.pattern.background import estimate_background
from unscatter.powder.pattern.channels import LONGEST, SHORTEST

Floats = NDArray[np.float64]
MEASURED, BACKGROUND, BARS, UNUSED, WHOLE = "#1f4e79", "#d95f02", "#4c9a6a", "#e4e4e4", "#eeeeee"
BLACK, GREY = "black", "#555555"
#: Width and height of the picture, and left, top, right and bottom of the pattern, in pixels from the upper left.
SIZE = (1400, 920)
PANEL = (95, 118, 1375, 470)
#: Spacings in Angstrom that may be marked above the pattern.
MARKS = (20.0, 10.0, 7.0, 5.0, 4.0, 3.0, 2.5, 2.0, 1.7, 1.5, 1.3, 1.2, 1.1, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4)
#: Intensities that may be marked, as shares of the highest.
SHARES = (0.0, 0.02, 0.1, 0.25, 0.5, 1.0)
#: Sizes of letters in pixels: text, headings, title.
_TEXT, _HEADING, _TITLE = 15.0, 17.0, 21.0
#: Curves are drawn so many times larger and averaged, which makes them smooth.
_FINE = 3


@dataclass(frozen=True)
class Frame:
    """Where angles and intensities lie in the picture.

    first, last: two-theta in degrees at the left and right edge of the panel; top: intensity at its upper edge.
    """

    first: float
    last: float
    top: float

    def across(self, two_theta: Floats) -> Floats:
        """Pixels from the left."""
        return np.asarray(PANEL[0] + (two_theta - self.first) / (self.last - self.first) * (PANEL[2] - PANEL[0]))

    def down(self, intensity: Floats) -> Floats:
        """Pixels from above, on a square-root scale."""
        share = np.sqrt(np.clip(intensity, 0.0, None) / self.top)
        return np.asarray(PANEL[3] - share * (PANEL[3] - PANEL[1]))


def plot_ranking(ranking: Ranking) -> Image.Image:
    """Pattern and estimated background above; space groups, Bravais lattices and extinction groups below.

    Intensity is drawn on a square-root scale, which shows weak lines and makes counting noise alike everywhere.
    The d that the network does not use is grey. A bar is as long as its probability, of the pale one behind it.
    The last line says what was assumed.
    """
    image = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(image)
    for rank, line in enumerate(_wrapped(ranking.label, SIZE[0] - 40, _TITLE, most=2)):
        _write(draw, SIZE[0] / 2, 24 + 25 * rank, line, "mm", size=_TITLE)
    frame = find_frame(ranking)
    _unused(draw, frame, ranking)
    _curves(image, frame, ranking)
    draw.rectangle(PANEL, outline=BLACK)
    _scales(image, draw, frame, ranking)
    _key(draw, ranking)
    groups = [(f"{one.name}  ({one.groups[0]})", one.probability) for one in ranking.top(5)]
    _bars(draw, (150, 430), "space group", groups)
    lattices = [(one.name, one.probability) for one in ranking.top(5, "Bravais lattice")]
    _bars(draw, (530, 810), "Bravais lattice", lattices)
    sets = [(_short(one), one.probability) for one in ranking.top(5, "extinction group")]
    _bars(draw, (1095, 1375), "extinction group", sets)
    lines = [(line, BLACK) for line in _wrapped(_found(ranking), SIZE[0] - 50)]
    lines += [(line, GREY) for line in _wrapped("assumed: " + "; ".join(ranking.assumptions), SIZE[0] - 50)]
    for rank, (line, color) in enumerate(lines):
        _write(draw, 25, 835 + 22 * rank, line, "lm", color)
    return image


def find_frame(ranking: Ranking) -> Frame:
    """Range of angles with a margin, and an intensity a little above the highest."""
    two_theta = ranking.pattern.two_theta
    margin = 0.01 * (two_theta[-1] - two_theta[0])
    return Frame(two_theta[0] - margin, two_theta[-1] + margin, 1.06 * float(ranking.pattern.intensity.max()))


def _unused(draw: ImageDraw.ImageDraw, frame: Frame, ranking: Ranking) -> None:
    """Grey where d is longer or shorter than the network sees."""
    start, stop = frame.across(_angles(np.array([LONGEST, SHORTEST]), ranking)).tolist()
    for left, right in ((PANEL[0], min(start, PANEL[2])), (max(stop, PANEL[0]), PANEL[2])):
        if right > left:
            draw.rectangle((left, PANEL[1], right, PANEL[3]), fill=UNUSED)


def _curves(image: Image.Image, frame: Frame, ranking: Ranking) -> None:
    two_theta, intensity = ranking.pattern.two_theta, ranking.pattern.intensity
    _curve(image, frame, two_theta, intensity, MEASURED, 4)
    _curve(image, frame, two_theta, estimate_background(two_theta, intensity), BACKGROUND, 6)


def _curve(image: Image.Image, frame: Frame, two_theta: Floats, intensity: Floats, color: str, width: int) -> None:
    """Draw a line large, and paste the colour through what it covers; width in the small pixels."""
    left, top, right, bottom = PANEL
    mask = Image.new("L", (_FINE * (right - left), _FINE * (bottom - top)))
    points = np.stack([frame.across(two_theta) - left, frame.down(intensity) - top], axis=1) * _FINE
    ImageDraw.Draw(mask).line(points.ravel().tolist(), fill=255, width=width)
    image.paste(color, (left, top), mask.reduce(_FINE))


def _scales(image: Image.Image, draw: ImageDraw.ImageDraw, frame: Frame, ranking: Ranking) -> None:
    """Angles below, intensities at the left and spacings d above, as many as have room."""
    left, top, right, bottom = PANEL
    angles = even_steps(frame.first, frame.last)
    for x, angle in zip(frame.across(angles).tolist(), angles.tolist(), strict=True):
        draw.line((x, bottom, x, bottom + 5), fill=BLACK)
        _write(draw, x, bottom + 17, f"{angle:g}", "mm")
    _write(draw, (left + right) / 2, bottom + 38, "2θ (deg)", "mm")
    # Rounded to one digit, the highest may lie above the panel.
    highest = float(ranking.pattern.intensity.max())
    levels = np.unique([float(f"{highest * share:.1g}") for share in SHARES])
    levels = levels[levels <= frame.top]
    for y, level in zip(frame.down(levels).tolist(), levels.tolist(), strict=True):
        draw.line((left - 5, y, left, y), fill=BLACK)
        _write(draw, left - 9, y, f"{level:g}", "rm")
    _write_upwards(image, 20, (top + bottom) / 2, "intensity (square-root scale)")
    places = frame.across(_angles(np.array(MARKS), ranking))
    last = -np.inf
    for x, d in zip(places.tolist(), MARKS, strict=True):
        if x - last > 45 and left < x < right:
            last = x
            draw.line((x, top - 5, x, top), fill=BLACK)
            _write(draw, x, top - 16, f"{d:g}", "mm")
    _write(draw, left - 9, top - 16, "d (Å)", "rm")


def _key(draw: ImageDraw.ImageDraw, ranking: Ranking) -> None:
    """Name the curves above the pattern, where they hide no line."""
    fate = "subtracted" if str(ranking.provenance.get("background")).startswith("subtracted") else "not subtracted"
    entries = (
        ("simulated" if ranking.pattern.simulated else "measured", MEASURED, 2),
        (f"estimated background ({fate})", BACKGROUND, 3),
        ("not used by the network", UNUSED, 13),
    )
    x, y = float(PANEL[0]), PANEL[1] - 42
    for words, color, thick in entries:
        draw.line((x, y, x + 24, y), fill=color, width=thick)
        _write(draw, x + 31, y, words, "lm")
        x += 31 + _font(_TEXT).getlength(words) + 30


def _bars(draw: ImageDraw.ImageDraw, ends: tuple[int, int], title: str, entries: Sequence[tuple[str, float]]) -> None:
    left, right = ends
    _write(draw, left, 555, title, "ls", size=_HEADING)
    for rank, (name, p) in enumerate(entries):
        top, middle, end = 570 + 44 * rank, 585 + 44 * rank, left + p * (right - left)
        draw.rectangle((left, top, right, top + 30), fill=WHOLE)
        if end > left + 1:
            draw.rectangle((left, top, end, top + 30), fill=BARS)
        _write(draw, left - 8, middle, name, "rm")
        inside = p > 0.75
        words = f"{100 * p:.1f} %"
        _write(draw, end + (-6 if inside else 6), middle, words, "rm" if inside else "lm", "white" if inside else BLACK)


def _write(
    draw: ImageDraw.ImageDraw, x: float, y: float, words: str, anchor: str, color: str = BLACK, size: float = _TEXT
) -> None:
    """Write words at (x, y); anchor as Pillow has it, "rm" for the right end at middle height."""
    draw.text((x, y), words, fill=color, font=_font(size), anchor=anchor)


def _write_upwards(image: Image.Image, x: float, y: float, words: str) -> None:
    """Write words from below upwards, with their middle at (x, y)."""
    length = int(_font(_TEXT).getlength(words)) + 4
    mask = Image.new("L", (length, 24))
    ImageDraw.Draw(mask).text((length / 2, 12), words, fill=255, font=_font(_TEXT), anchor="mm")
    image.paste(BLACK, (round(x - 12), round(y - length / 2)), mask.transpose(Image.Transpose.ROTATE_90))


def _wrapped(words: str, width: float, size: float = _TEXT, most: int = 3) -> list[str]:
    """Lines of at most `width` pixels; what does not fit into `most` lines is left out, and so it says."""
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and _font(size).getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    kept = lines[:most]
    if len(lines) > most:
        kept[-1] += " ..."
    for place, line in enumerate(kept):
        # One word alone may be too long.
        while _font(size).getlength(line) > width:
            line = f"{line.removesuffix(' ...')[:-1]} ..."
        kept[place] = line
    return kept


@cache
def _font(size: float) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which has Å and θ, from the folder of matplotlib; matplotlib itself is not imported."""
    found = find_spec("matplotlib")
    assert found is not None, "matplotlib is a dependency"
    folder = Path(str(next(iter(found.submodule_search_locations or ()))))
    return ImageFont.truetype(str(folder / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"), size)


def even_steps(low: float, high: float, most: int = 10) -> Floats:
    """Multiples of 1, 2 or 5 times a power of ten between two numbers, at most `most` of them.

    >>> even_steps(1.4, 166.6).tolist()
    [20.0, 40.0, 60.0, 80.0, 100.0, 120.0, 140.0, 160.0]
    """
    power = 10.0 ** np.floor(np.log10((high - low) / most))
    step = next(power * factor for factor in (1, 2, 5, 10, 20) if (high - low) / (power * factor) < most)
    return np.asarray(np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step)


def _angles(d: Floats, ranking: Ranking) -> Floats:
    """Two-theta in degrees of spacings d in Angstrom, far beyond the picture where the wavelength does not reach."""
    wavelength = ranking.pattern.wavelength
    assert wavelength is not None, "a ranking has a wavelength"
    sine = wavelength / (2 * d)
    return np.asarray(np.where(sine < 1, 2 * np.degrees(np.arcsin(np.minimum(sine, 1.0))), 1e4))


def _short(one: Candidate) -> str:
    """Name of an extinction group that has room beside a bar: its first and last space groups."""
    symbols = one.name.split()
    return one.name if len(symbols) <= 3 else f"{symbols[0]} ... {symbols[-1]} ({len(symbols)} groups)"


def _found(ranking: Ranking) -> str:
    pattern = ranking.pattern
    system = ranking.top(1, "crystal system")[0]
    edges = ", ".join(f"{edge:.3g}" for edge in ranking.edges)
    return (
        f"{system.name} ({100 * system.probability:.0f} %) | estimated cell: V {ranking.volume:.3g} Å³; "
        f"a, b, c {edges} Å | {pattern.radiation or 'radiation not known'}, {pattern.wavelength:g} Å | "
        f"{pattern.two_theta.size} points | weights {ranking.provenance.get('weights', 'none')}"
    )
