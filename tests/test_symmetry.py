"""Names of symmetry against facts of the International Tables and against a table of labels."""

import csv
import os
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from unscatter.symmetry import (
    BRAVAIS_LATTICES,
    CRYSTAL_SYSTEMS,
    LABEL_SETS,
    SPACE_GROUPS,
    bravais_lattice,
    crystal_system,
    extinction_groups,
    hermann_mauguin,
    label_set,
    operations,
)

TABLE = Path(os.environ.get("UNSCATTER_STRUCTURES", "../shared/data/structures")) / "sg_counts.csv"


def test_names_of_known_groups():
    assert (hermann_mauguin(225), bravais_lattice(225), crystal_system(225)) == ("Fm-3m", "cF", "cubic")
    assert (hermann_mauguin(62), bravais_lattice(62), crystal_system(62)) == ("Pnma", "oP", "orthorhombic")
    assert (bravais_lattice(166), crystal_system(166)) == ("hR", "trigonal")
    assert (bravais_lattice(164), crystal_system(164)) == ("hP", "trigonal")
    assert bravais_lattice(38) == "oC"  # Amm2


def test_every_class_holds_a_group():
    assert {bravais_lattice(n) for n in SPACE_GROUPS} == set(BRAVAIS_LATTICES)
    assert {crystal_system(n) for n in SPACE_GROUPS} == set(CRYSTAL_SYSTEMS)


@pytest.mark.parametrize(("number", "order"), [(1, 1), (2, 2), (62, 8), (167, 36), (194, 24), (225, 192), (230, 96)])
def test_number_of_operations(number, order):
    rotations, translations = operations(number)
    assert rotations.shape == (order, 3, 3)
    assert translations.shape == (order, 3)
    assert np.array_equal(rotations[0], np.eye(3))


def membership(labels):
    """Zeros and ones (230, classes)."""
    return (labels.of_group[:, None] == np.arange(len(labels))).astype(float)


extinction = label_set("extinction-99").label


@pytest.mark.parametrize("name", list(LABEL_SETS))
def test_label_sets_are_partitions(name):
    labels = label_set(name)
    assert len(labels) == int(name.rsplit("-", 1)[1])
    assert set(labels.of_group.tolist()) - {-1} == set(range(len(labels)))
    inside = labels.of_group >= 0
    assert np.array_equal(membership(labels).sum(axis=1), inside)
    assert inside.sum() == (144 if name == "group-144" else 230)
    assert labels.label(labels.groups(3)[0]) == 3


def test_probabilities_of_groups_sum_to_those_of_classes():
    p = np.random.default_rng(0).dirichlet(np.ones(230), size=4)
    for name in ("bravais-14", "system-7", "extinction-99"):
        np.testing.assert_allclose((p @ membership(label_set(name))).sum(axis=-1), 1)


def test_extinction_groups_of_known_groups():
    assert extinction(33) == extinction(62)  # Pna21 and Pnma
    assert extinction(1) == extinction(2)
    assert extinction(26) == extinction(28) == extinction(51)  # axes renamed
    assert extinction(144) != extinction(171)  # P31 and P62 have symbols of their own
    assert extinction(227) != extinction(225)


def test_extinction_groups_keep_lattices_apart():
    for numbers in extinction_groups():
        assert len({bravais_lattice(n) for n in numbers}) == 1


def test_labels_agree_with_a_table():
    if not TABLE.exists():
        pytest.skip(f"no table of labels at {TABLE}")
    with TABLE.open() as file:
        rows = list(csv.DictReader(file))
    theirs = defaultdict(list)
    for row in rows:
        theirs[row["extinction_group"]].append(int(row["sg"]))
        assert (label_set("group-144").label(int(row["sg"])) >= 0) == (row["in_paper144"] == "True")
    assert set(extinction_groups()) == {tuple(numbers) for numbers in theirs.values()}


def test_impossible_names():
    with pytest.raises(ValueError, match="231"):
        bravais_lattice(231)
    with pytest.raises(ValueError, match="bravais-14"):
        label_set("bravais")
