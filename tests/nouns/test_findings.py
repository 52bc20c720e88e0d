"""Findings: what is not known is not good, and the worst is what counts."""

import pytest

from unscatter.nouns.findings import Finding, Findings


def finding(name: str, value: float | None, fair: float = 0.1, poor: float = 0.3) -> Finding:
    return Finding(name, value, fair, poor, f"about {name}")


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (0.05, "good"),
        (0.1, "fair"),
        (0.3, "poor"),
        (None, "not tested"),
        (float("nan"), "poor"),
        (float("inf"), "poor"),
    ],
)
def test_a_number_is_judged_by_its_limits(value, verdict):
    assert finding("fit", value).verdict == verdict


@pytest.mark.parametrize(("value", "verdict"), [(9, "good"), (5, "fair"), (3, "poor"), (-1, "poor")])
def test_where_small_numbers_are_bad_the_limits_are_the_other_way_round(value, verdict):
    assert finding("signal", value, fair=5, poor=3).verdict == verdict


def test_what_was_not_tested_never_sums_up_to_good():
    good, untested = finding("fit", 0.01), Finding.untested("period", (0.1, 0.3), "no cell")
    assert Findings((good, good)).verdict == "good"
    assert Findings((good, untested)).verdict == "not tested"
    assert Findings(()).verdict == "not tested"
    assert Findings((good, untested, finding("bragg", 0.2))).verdict == "fair"
    assert Findings((untested, finding("bragg", 0.5), finding("coverage", 0.2))).verdict == "poor"


def test_the_worst_come_first():
    found = Findings((finding("a", 0.2), finding("b", 0.4), finding("c", 0.01), finding("d", 0.9), finding("e", None)))
    assert [one.name for one in found.worst(4)] == ["d", "b", "a", "e"]


def test_rows_are_read_back():
    found = Findings((finding("a", 0.2), finding("e", None)), "suitability", "no check proves all")
    assert Findings.from_rows(found.rows(), "suitability", "no check proves all") == found
    assert hash(found) == hash(Findings.from_rows(found.rows(), "suitability", "no check proves all"))


def test_the_report_tells_number_limits_and_words():
    text = str(Findings((finding("signal", 4, fair=5, poor=3), finding("e", None)), "suitability"))
    assert text.splitlines()[0] == "suitability: fair"
    assert " ".join(text.splitlines()[1].split()) == "fair signal 4 (fair up to 5, poor up to 3) about signal"
    assert text.splitlines()[2].split() == ["not", "tested", "e", "about", "e"]
    assert "<script>" not in Findings((finding("<script>", 1.0),))._repr_html_()
