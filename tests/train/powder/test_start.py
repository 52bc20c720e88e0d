"""Begun with other weights: labels are translated, and nothing that is held out was learned before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from safetensors.torch import load_file

from unscatter.nn.relationnet import RelationNetConfig
from unscatter.powder.samples.cache_writing import write_reflection_cache
from unscatter.symmetry import label_set
from unscatter.train.checkpoint import read_module
from unscatter.train.export import export_classify
from unscatter.train.powder.classify import ClassifierTraining, RelationNetTraining, train_classify
from unscatter.train.powder.patterns import PatternSource
from unscatter.train.powder.start import known_before, translate_head
from unscatter.weights import read_card

torch.set_num_threads(1)

NETWORK = RelationNetConfig(width=16, blocks=1, patch_width=8, folded_width=8, kept_width=4)
FEATURES = torch.randn(5, 16, generator=torch.Generator().manual_seed(2))


def probabilities(head: dict[str, torch.Tensor]) -> torch.Tensor:
    return torch.softmax(FEATURES @ head["classifier.weight"].T + head["classifier.bias"], dim=-1)


def a_head(classes: int) -> dict[str, torch.Tensor]:
    chance = torch.Generator().manual_seed(1)
    return {
        "classifier.weight": torch.randn(classes, 16, generator=chance),
        "classifier.bias": torch.randn(classes, generator=chance),
    }


@pytest.fixture(scope="module")
def random_crystals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("random") / "random.h5"
    write_reflection_cache("random:30", path, progress=False)
    return path


def options_for(structures: Path, out: Path, **others: Any) -> RelationNetTraining:
    tiny: dict[str, Any] = {"steps": 1, "batch": 4, "validation_samples": 4, "recipes": ("paper",), "network": NETWORK}
    options = RelationNetTraining(out=out, structures=(structures,), split="random", fractions=(0.6, 0.2, 0.2), **tiny)
    return replace(options, **others)


def export(options: RelationNetTraining, folder: Path) -> str:
    return str(export_classify(train_classify(options), folder, "begun").with_suffix(".onnx"))


def build(options: RelationNetTraining) -> ClassifierTraining:
    return ClassifierTraining(options, PatternSource(options, options.axis), Fabric(accelerator="cpu", devices=1))


def test_the_same_labels_keep_their_head() -> None:
    of_group, head = label_set("group-230").of_group, a_head(230)
    for name, tensor in translate_head(head, of_group, of_group).items():
        torch.testing.assert_close(tensor, head[name])


def test_a_lattice_is_as_probable_as_all_its_groups_together_where_these_are_alike() -> None:
    groups, lattices = label_set("group-230").of_group, label_set("bravais-14").of_group
    coarse = a_head(14)
    alike = {name: tensor[lattices] for name, tensor in coarse.items()}
    sums = torch.zeros(5, 14).index_add(1, torch.as_tensor(lattices), probabilities(alike))
    torch.testing.assert_close(probabilities(translate_head(alike, groups, lattices)), sums)


def test_groups_share_their_lattice_evenly() -> None:
    groups, lattices = label_set("group-230").of_group, label_set("bravais-14").of_group
    fine, coarse = probabilities(translate_head(a_head(14), lattices, groups)), probabilities(a_head(14))
    cubic_p = np.flatnonzero(lattices == lattices[220])
    expected = coarse[:, [lattices[220]]].expand(-1, len(cubic_p)) / len(cubic_p)
    torch.testing.assert_close(fine[:, cubic_p], expected)


def test_a_label_of_unknown_groups_begins_with_zeros() -> None:
    before = label_set("group-144").of_group
    head = translate_head(a_head(144), before, label_set("group-230").of_group)
    unknown = np.flatnonzero(before < 0)
    assert len(unknown) == 86
    assert not head["classifier.weight"][unknown].any()
    assert not head["classifier.bias"][unknown].any()


# torch.export calls what torch itself has deprecated.
@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")
def test_weights_of_random_crystals_serve_any_split_and_other_labels(
    structures: Path, random_crystals: Path, tmp_path: Path
) -> None:
    begun = export(options_for(random_crystals, tmp_path / "random"), tmp_path / "weights")
    assert read_card(tmp_path / "weights" / "begun.json").record["learned_from"]["known_structures"] == 0
    state = build(options_for(structures, tmp_path / "mine", labels="bravais-14", start=begun)).plain.state_dict()
    kept = load_file(tmp_path / "weights" / "begun.safetensors")
    before, now = (label_set(name).of_group for name in ("group-230", "bravais-14"))
    for name, tensor in (kept | translate_head(kept, before, now)).items():
        torch.testing.assert_close(state[name], tensor, rtol=0, atol=0)


def test_weights_of_known_structures_do_not_serve_a_random_split_of_another_table(
    structures: Path, random_crystals: Path, tmp_path: Path
) -> None:
    begun = train_classify(options_for(random_crystals, tmp_path / "both", extra=(structures,), extra_share=0.5))
    with pytest.raises(ValueError, match=r"of another table and may have learned from.*begins with none"):
        build(options_for(structures, tmp_path / "mine", start=str(begun)))


def test_what_was_known_at_the_start_stays_known(structures: Path, random_crystals: Path, tmp_path: Path) -> None:
    by_prototype: dict[str, Any] = {"split": "prototype", "fractions": (0.6, 0.2, 0.2)}
    knowing = train_classify(options_for(structures, tmp_path / "first"))
    assert known_before(knowing) == 36
    with pytest.raises(ValueError, match="may have learned from"):
        build(options_for(random_crystals, tmp_path / "second", start=str(knowing), **by_prototype))
    through_random = train_classify(options_for(random_crystals, tmp_path / "third", extra=(structures,)))
    again = train_classify(options_for(random_crystals, tmp_path / "third", steps=2))
    assert again == through_random
    assert known_before(again) == 60


def test_the_same_random_parts_of_the_same_table_may_be_gone_on_with(structures: Path, tmp_path: Path) -> None:
    begun = train_classify(options_for(structures, tmp_path / "first"))
    training = build(options_for(structures, tmp_path / "second", labels="bravais-14", start=str(tmp_path / "first")))
    torch.testing.assert_close(training.plain.state_dict()["cell.bias"], read_module(begun, "average")["cell.bias"])


def test_weights_of_another_shape_are_told_with_what_to_type(structures: Path, tmp_path: Path) -> None:
    begun = train_classify(options_for(structures, tmp_path / "first"))
    with pytest.raises(ValueError, match=r"another shape.*--start '' --learning-rate 1e-3"):
        build(options_for(structures, tmp_path / "second", start=str(begun), network=replace(NETWORK, width=8)))
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        build(options_for(structures, tmp_path / "third", start=str(tmp_path / "gone.safetensors")))
