"""What any network has to beat: the most frequent class, the nearest neighbour, and a forest on line positions.

All answer to the same patterns as the networks, in logits over the same labels, so that they stand in the same table.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import find_peaks
from sklearn.ensemble import RandomForestClassifier
from torch import Tensor

from unscatter.powder.pattern.channels import network_axis
from unscatter.powder.samples.draw import PowderRecipe
from unscatter.train.powder.evaluate import Row, level_scores
from unscatter.train.powder.patterns import Part, Patterns, PatternSource
from unscatter.train.powder.splits import Rows

#: Points of the coarser axis on which neighbours are looked for.
COARSE = 1024
#: Furthest shift in coarse points, 0.34 % of a length each: cells may differ by a third either way.
FURTHEST = 96
#: Lines whose positions the forest sees, and their least height above their surroundings as a share of the highest.
LINES, PROMINENCE = 20, 0.03
#: Likeness becomes logits by this factor: so large that the likest pattern decides at every level.
_SHARP = 1000.0
#: Probability of what a forest never saw.
_NEVER = 1e-9


@dataclass(frozen=True)
class BaselineOptions:
    """part, count: what is asked, as for networks; known: training patterns to compare with; trees: of the forest."""

    part: Part = "test"
    count: int = 1000
    known: int = 8000
    trees: int = 100


def score_baselines(source: PatternSource, options: BaselineOptions) -> list[Row]:
    """Score all baselines on a part of the structures through every recipe of a source on the network's axis."""
    rows = []
    for recipe in source.recipes:
        asked = gather(source, recipe, source.held_out(options.part, options.count))
        known = gather(source, recipe, source.held_out("training", options.known))
        counts = source.label_counts()
        answers = {
            "most frequent class": most_frequent(counts, len(asked.labels)),
            f"nearest of {len(known.labels)}": nearest_neighbour(known, asked.inputs, len(counts)),
            f"forest on {LINES} lines": forest(known, asked.inputs, len(counts), options.trees),
        }
        rows += [
            Row(
                name=name,
                recipe=recipe.name,
                split=f"{source.options.split} {options.part}",
                samples=len(asked.labels),
                scores=level_scores(logits, asked.labels, source.options.labels),
            )
            for name, logits in answers.items()
        ]
    return rows


def gather(source: PatternSource, recipe: PowderRecipe, rows: Rows, size: int = 64) -> Patterns:
    """Patterns of held-out or training rows, all at once."""
    parts = list(source.draw_part(recipe, rows, size))
    return Patterns(*(torch.cat(column) for column in zip(*parts, strict=True)))


def most_frequent(counts: NDArray[np.int64], asked: int) -> Tensor:
    """Logits (asked, classes) of one who looks at no pattern and knows how frequent each class is."""
    share = np.maximum(counts / counts.sum(), _NEVER)
    return torch.as_tensor(np.log(share), dtype=torch.float32).expand(asked, -1)


def nearest_neighbour(known: Patterns, asked: Tensor, classes: int) -> Tensor:
    """Logits (asked, classes): likeness to the likest known pattern of each class, whatever the size of its cell.

    known.inputs: (n, 3, points), asked: (m, 3, points) on an axis even in ln(1/d), where a cell that grows shifts the
    pattern. Likeness is the largest cosine between the logarithmic intensities, less their means, over all shifts up
    to FURTHEST coarse points; all shifts at once by Fourier transforms, padded so that no end meets the other.
    """
    ours, theirs = coarse(known.inputs), coarse(asked)
    spectra = torch.fft.rfft(ours, 2 * COARSE)
    logits = torch.full((len(asked), classes), -_SHARP)
    for place, pattern in enumerate(theirs):
        likeness = torch.fft.irfft(spectra * torch.fft.rfft(pattern, 2 * COARSE).conj(), 2 * COARSE)
        best = torch.maximum(likeness[:, : FURTHEST + 1].amax(1), likeness[:, -FURTHEST:].amax(1))
        logits[place].scatter_reduce_(0, known.labels, _SHARP * best, "amax")
    return logits


def coarse(inputs: Tensor) -> Tensor:
    """Logarithmic intensity on COARSE points, of mean 0 where measured and 0 elsewhere, and of length 1."""
    folded = inputs[:, 1:].reshape(len(inputs), 2, COARSE, -1)
    measured = folded[:, 1].amax(-1)
    # The highest of the points that fall together: a mean would lose narrow lines.
    height = folded[:, 0].amax(-1) * measured
    height = (height - height.sum(1, keepdim=True) / measured.sum(1, keepdim=True).clamp(min=1)) * measured
    length: Tensor = torch.linalg.vector_norm(height, dim=1, keepdim=True)
    return height / length.clamp(min=1e-12)


def forest(known: Patterns, asked: Tensor, classes: int, trees: int) -> Tensor:
    """Logits (asked, classes) of a random forest on the positions of the first lines."""
    model = RandomForestClassifier(trees, min_samples_leaf=1, random_state=0, n_jobs=1)
    model.fit(line_positions(known.inputs), known.labels.numpy())
    shares = np.full((len(asked), classes), _NEVER)
    shares[:, model.classes_] = np.maximum(model.predict_proba(line_positions(asked)), _NEVER)
    return torch.as_tensor(np.log(shares), dtype=torch.float32)


def line_positions(inputs: Tensor) -> NDArray[np.float64]:
    """Positions of the first lines of patterns (n, 3, points), (n, LINES): 1/d of the first, then ln of their ratios.

    The first number knows the size of the cell and all others do not. Lines are the maxima of the intensity that rise
    PROMINENCE of the highest above their surroundings; where there are fewer, what is missing lies beyond the axis.
    """
    axis = np.log(1 / network_axis())
    return np.stack([_first_lines(pattern, axis) for pattern in inputs[:, 0].double().numpy()])


def _first_lines(intensity: NDArray[np.float64], axis: NDArray[np.float64]) -> NDArray[np.float64]:
    peaks, _ = find_peaks(intensity, prominence=PROMINENCE * intensity.max())
    found = axis[peaks[:LINES]]
    if not len(found):
        return np.full(LINES, axis[-1])
    ratios = np.full(LINES - 1, axis[-1] - axis[0])
    ratios[: len(found) - 1] = found[1:] - found[0]
    return np.concatenate([[np.exp(found[0])], ratios])
