"""A pattern in, probabilities out: they agree at all levels, and what cannot be judged is refused."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import unscatter
from unscatter.io.results.provenance import read_provenances
from unscatter.io.results.ranking import add_to_summary, read_ranking, write_csv, write_json
from unscatter.nouns.pattern import Pattern
from unscatter.nouns.ranking import Ranking
from unscatter.powder.classify.classify import LEAST_POINTS, LEVELS, classify, classify_many
from unscatter.powder.demonstration import simulate_corundum
from unscatter.powder.pattern.channels import network_channels
from unscatter.symmetry import extinction_groups, label_set
from unscatter.weights import list_weights, open_network

SHIPPED = any(card.name == "group-230" for card in list_weights())


@pytest.fixture(scope="module")
def pattern() -> Pattern:
    return simulate_corundum()


@pytest.fixture(scope="module")
def ranking(pattern: Pattern, small_classifier: str) -> Ranking:
    return classify(pattern, small_classifier, engine="none")


def test_probabilities_are_the_networks(ranking: Ranking, pattern: Pattern, small_classifier: str) -> None:
    network = open_network(small_classifier)
    channels = network_channels(pattern.two_theta, pattern.intensity, 1.5403)[None]
    logits, cell = network(channels=channels)
    powers = np.exp(logits[0].astype(float) / network.card.record["temperature"])
    np.testing.assert_allclose(ranking.probabilities, powers / powers.sum(), rtol=1e-5)
    np.testing.assert_allclose([ranking.volume, *ranking.edges], np.exp(cell[0]), rtol=1e-5)


@pytest.mark.parametrize("level", LEVELS)
def test_classes_are_sums_of_space_groups(ranking: Ranking, level: str) -> None:
    expected = ranking.probabilities @ (
        label_set(LEVELS[level]).of_group[:, None] == np.arange(len(label_set(LEVELS[level])))
    )
    np.testing.assert_allclose(ranking.probabilities_of(level), expected, rtol=1e-12)
    assert ranking.probabilities_of(level).sum() == pytest.approx(1.0)
    best = ranking.top(3, level)
    assert best == sorted(best, key=lambda one: -one.probability)
    for one in best:
        inside = sum(ranking.probabilities[n - 1] for n in one.groups)
        assert one.probability == pytest.approx(inside)


def test_an_unknown_level_lists_the_levels(ranking: Ranking) -> None:
    with pytest.raises(ValueError, match="Bravais lattice"):
        ranking.top(1, "colour")


def test_many_at_once_are_as_one_by_one(pattern: Pattern, small_classifier: str) -> None:
    scaled = [replace(pattern, wavelength=1.5403 * (1 + k / 100)) for k in range(40)]
    together = classify_many(scaled, small_classifier, engine="none")
    assert len(together) == 40
    for k in (0, 31, 32, 39):
        alone = classify(scaled[k], small_classifier, engine="none")
        np.testing.assert_allclose(together[k].probabilities, alone.probabilities, rtol=1e-3)
        assert together[k].pattern is scaled[k]
    assert not np.allclose(together[0].probabilities, together[39].probabilities)


def test_the_background_stays_unless_asked_for(pattern: Pattern, ranking: Ranking, small_classifier: str) -> None:
    lower = classify(pattern, small_classifier, subtract_background=True, engine="none")
    assert not np.allclose(lower.probabilities, ranking.probabilities)
    assert ranking.provenance["background"] == "left in the pattern"
    assert "subtracted" in lower.provenance["background"]
    assert any("was subtracted" in sentence for sentence in lower.assumptions)
    # The pattern itself is what was measured, in both.
    np.testing.assert_array_equal(lower.pattern.intensity, pattern.intensity)


def test_the_scale_of_the_counts_does_not_matter(pattern: Pattern, ranking: Ranking, small_classifier: str) -> None:
    larger = classify(replace(pattern, intensity=1000 * pattern.intensity), small_classifier, engine="none")
    np.testing.assert_allclose(larger.probabilities, ranking.probabilities, rtol=1e-3)


def test_what_was_assumed_is_said(pattern: Pattern, small_classifier: str) -> None:
    intensity = pattern.intensity.copy()
    intensity[:3] = -1.0
    bare = replace(pattern, intensity=intensity, radiation=None, second_wavelength=1.55)
    said = " ".join(classify(bare, small_classifier, engine="none").assumptions)
    assert "3 negative intensities" in said
    assert "radiation not known" in said
    assert "1.55" in said


def test_the_description_has_the_answer(ranking: Ranking) -> None:
    text = ranking.describe()
    for word in ("simulated", "3241", "neutron", "1.5403", ranking.top()[0].name, "volume", "small"):
        assert word in text
    page = ranking._repr_html_()
    assert page.startswith("<table>")
    assert page.count("<tr>") == len(text.splitlines())


def test_markup_in_a_title_stays_text(ranking: Ranking) -> None:
    odd = replace(ranking, pattern=replace(ranking.pattern, title="<script>x</script>"))
    assert "<script>" not in odd._repr_html_()


def test_json_holds_all_of_it(ranking: Ranking, tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", ranking)
    table = json.loads((tmp_path / "x.json").read_text())
    assert table["pattern"]["simulated"] is True
    assert table["pattern"]["d_A"] == pytest.approx([29.42, 0.7768], rel=1e-3)
    assert len(table["levels"]["space group"]) == 230
    assert len(table["levels"]["extinction group"]) == len(extinction_groups())
    assert table["levels"]["space group"][0]["name"] == ranking.top()[0].name
    assert table["cell_estimated"]["volume_A3"] == pytest.approx(ranking.volume)
    assert read_provenances(tmp_path / "x.json") == [ranking.provenance]
    assert read_ranking(tmp_path / "x.json") == ranking
    assert read_ranking(tmp_path / "x.json").provenance == ranking.provenance
    assert len((tmp_path / "x.json").read_text().splitlines()) < 8000
    assert ranking.provenance["weights_sha256"]


@pytest.mark.parametrize("text", ["[1, 2]", '{"format": "other"}', "no JSON"])
def test_other_files_have_no_provenance(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(ValueError, match="is no result"):
        read_provenances(tmp_path / "x.json")
    with pytest.raises(ValueError, match="no unscatter ranking"):
        read_ranking(tmp_path / "x.json")


def test_a_ranking_without_its_pattern_or_of_a_later_layout_says_what_to_do(ranking: Ranking, tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", ranking)
    text = (tmp_path / "x.json").read_text()
    for version, advice in (("1", "classify the pattern again"), ("9", "upgrade")):
        (tmp_path / "x.json").write_text(text.replace('"format_version": 2', f'"format_version": {version}'))
        with pytest.raises(ValueError, match=advice):
            read_ranking(tmp_path / "x.json")


def test_csv_has_a_row_for_each_space_group(ranking: Ranking, tmp_path: Path) -> None:
    write_csv(tmp_path / "x.csv", ranking)
    with (tmp_path / "x.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(int(row["number"]) for row in rows) == list(range(1, 231))
    assert sum(float(row["probability"]) for row in rows) == pytest.approx(1.0, abs=1e-4)
    lattice = label_set("bravais-14")
    for row in rows:
        assert row["Bravais lattice"] == lattice.classes[lattice.label(int(row["number"]))]
    add_to_summary(tmp_path / "all.csv", [ranking, ranking])
    with (tmp_path / "all.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 2
    assert lines[0]["space group 1"] == ranking.top()[0].name
    assert float(lines[0]["volume_A3"]) == pytest.approx(ranking.volume, rel=1e-4)


ANGLES = np.linspace(10.0, 120.0, 2000)
COUNTS = 100 + 50 * np.cos(ANGLES)


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        (Pattern(ANGLES, COUNTS), "--wavelength 1.5406"),
        (Pattern(ANGLES - 10, COUNTS, wavelength=1.54), "two-theta above 0"),
        (Pattern(ANGLES * 2, COUNTS, wavelength=1.54), "from 20 to 240"),
        (Pattern(ANGLES, 0 * COUNTS, wavelength=1.54), "no intensity is above zero"),
        (Pattern(ANGLES, COUNTS - 120, wavelength=1.54), "are negative"),
        (Pattern(ANGLES[:150], COUNTS[:150], wavelength=1.54), f"at least {LEAST_POINTS} points"),
        (Pattern(ANGLES / 50 + 30, COUNTS, wavelength=1.54), "ratio 1.07"),
        (Pattern(ANGLES, COUNTS, wavelength=0.05), "check the wavelength"),
    ],
)
def test_what_says_nothing_is_refused(bad: Pattern, expected: str, small_classifier: str) -> None:
    with pytest.raises(ValueError, match=expected.replace("(", r"\(")) as caught:
        classify(replace(bad, source="scan.xy"), small_classifier)
    assert str(caught.value).startswith("scan.xy: ")
    assert "\n" not in str(caught.value)


def test_weights_for_something_else_are_refused(pattern: Pattern) -> None:
    with pytest.raises(ValueError, match="type --weights group-230"):
        classify(pattern, "factorize-256")


def test_the_package_offers_it(pattern: Pattern, small_classifier: str) -> None:
    assert isinstance(unscatter.classify(pattern, small_classifier), unscatter.Ranking)
    with pytest.raises(ValueError, match="230 probabilities"):
        unscatter.Ranking(pattern, np.ones(230), {}, 1.0, (1.0, 1.0, 1.0))


@pytest.mark.skipif(not SHIPPED, reason="the trained classifier is not shipped yet")
def test_the_shipped_network_has_the_lattice_of_corundum_among_three(pattern: Pattern) -> None:
    # The lattice is hR, the second answer of this network; see docs/dev/experiments.md.
    found = classify(pattern)
    assert "hR" in [one.name for one in found.top(3, "Bravais lattice")]
    assert 254.8 / 2 < found.volume < 254.8 * 2
