"""What to cite is BibTeX that a program reads, with DOIs."""

import re

import pytest

from unscatter.citations import METHODS, bibtex, cite_result, read_references
from unscatter.weights import list_weights

DOI = re.compile(r"doi\s*=\s*\{10\.\d{4,}/\S+\}")


def test_every_reference_has_a_doi_and_balanced_braces() -> None:
    for key, entry in read_references().items():
        assert DOI.search(entry), key
        assert entry.count("{") == entry.count("}")


@pytest.mark.parametrize("job", METHODS)
def test_every_job_has_a_method_that_is_known(job: str) -> None:
    said = cite_result({"job": job, "version": "1.2.3"})
    assert "version = {1.2.3}" in said
    assert "@software{unscatter," in said
    assert DOI.search(said)


@pytest.mark.parametrize("card", list_weights(), ids=lambda card: card.name)
def test_what_a_network_asks_to_cite_is_known(card) -> None:  # type: ignore[no-untyped-def]
    assert not any("@misc" in entry for entry in bibtex(card.cite))


def test_each_work_is_cited_once_and_unknown_words_are_kept() -> None:
    entries = bibtex(["lolla2022", "Lolla et al. (2022), J. Appl. Cryst. 55", "Mine {et al.} (2030)"])
    assert len(entries) == 2
    assert entries[0].startswith("% Lolla et al. (2022), J. Appl. Cryst. 55\n@article{lolla2022")
    assert "note = {Mine {et al.} (2030)}" in entries[1]
