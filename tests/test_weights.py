"""Shipped networks are what their cards say."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from unscatter.weights import describe_card, find_weights, list_weights, open_network, shipped_folder

LARGEST_FILE = 16 * 2**20


@pytest.mark.parametrize("card", list_weights(), ids=lambda card: card.name)
def test_files_are_small_and_match_their_hashes(card) -> None:  # type: ignore[no-untyped-def]
    import hashlib

    for name, expected in card.files.items():
        if name != card.onnx.name:
            pytest.importorskip("unscatter_training_data", reason="weights to go on from: pip install unscatter[train]")
        content = card.path(name).read_bytes()
        assert len(content) < LARGEST_FILE
        assert hashlib.sha256(content).hexdigest() == expected


def test_a_network_is_found_by_name() -> None:
    card = find_weights("factorize-256")
    assert card.task == "factorize"
    assert "factorize-256" in describe_card(card)


def test_what_is_shown_are_test_scores_and_the_readme_shows_the_same() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    for card in list_weights():
        shown = describe_card(card)
        assert "test scores, python benchmarks/" in shown
        for name, value in card.test["scores"].items():
            text = f"{100 * value:.1f}" if "top-" in name else f"{value:.4f}"
            assert text in readme, f"{card.name}: {name} is {text}, which the README does not show"
            assert f"{value:.5g}" in shown


def test_scores_of_training_are_called_so() -> None:
    card = replace(find_weights("group-230"), test={})
    assert "validation scores, from the end of training" in describe_card(card)


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(FileNotFoundError, match="shipped are factorize-256"):
        find_weights("nonsense")


def test_altered_weights_are_refused(tmp_path: Path) -> None:
    for path in shipped_folder().glob("factorize-256.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with (tmp_path / "factorize-256.onnx").open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(ValueError, match="were altered"):
        open_network(str(tmp_path / "factorize-256.onnx"))


def test_missing_weights_say_what_to_do(tmp_path: Path) -> None:
    card = json.loads((shipped_folder() / "factorize-256.json").read_text())
    (tmp_path / "factorize-256.json").write_text(json.dumps(card))
    with pytest.raises(FileNotFoundError, match="is missing"):
        open_network(str(tmp_path / "factorize-256.onnx"))


@pytest.mark.parametrize("card", [one for one in list_weights() if one.onnx], ids=lambda card: card.name)
def test_network_files_tell_no_folder_of_the_machine_they_were_made_on(card) -> None:  # type: ignore[no-untyped-def]
    assert b"site-packages" not in card.onnx.read_bytes()
    assert "/unscatter/" not in card.onnx.with_suffix(".json").read_text(encoding="utf-8")
