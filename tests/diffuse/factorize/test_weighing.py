"""Lattices are weighed by spectrum and prediction; one that says nothing more than a simpler one weighs nothing."""

import numpy as np
import pytest

from unscatter.diffuse.factorize.lattice.weighing import weights_of

SQUARE = np.array([[20.0, 0.0], [0.0, 20.0]])
DOUBLE = np.array([[40.0, 0.0], [0.0, 20.0]])
OTHER = np.array([[23.0, 0.0], [3.0, 17.0]])


def test_a_doubled_period_that_predicts_no_better_weighs_nothing_even_with_more_spikes():
    assert weights_of([50.0, 60.0], [0.2, 0.2], [SQUARE, DOUBLE]) == pytest.approx([1.0, 0.0])


def test_a_doubled_period_that_predicts_better_is_a_superstructure():
    weights = weights_of([50.0, 60.0], [0.2, 0.1], [SQUARE, DOUBLE])
    assert weights[1] > 0.9


def test_weights_sum_to_one_and_grow_with_evidence_and_with_prediction():
    more_spikes = weights_of([20.0, 25.0], [0.2, 0.2], [SQUARE, OTHER])
    better = weights_of([20.0, 20.0], [0.2, 0.15], [SQUARE, OTHER])
    for weights in (more_spikes, better):
        assert weights.sum() == pytest.approx(1.0)
        assert weights[1] > 0.5
