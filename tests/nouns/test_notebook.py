"""What a notebook shows of a result: its table, its picture as a PNG inside, and its findings."""

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.image import imread

from unscatter.diffuse.demonstration import simulate_demonstration
from unscatter.nouns.components import Components
from unscatter.nouns.findings import Finding, Findings
from unscatter.nouns.notebook import WIDTH
from unscatter.nouns.table import Result

FAIR = Finding("order", 1.5, 1.0, 2.0, "order <b>is</b> fair")
POOR = Finding("fit", 3.0, 1.0, 2.0, "the fit is poor")


@pytest.fixture(scope="module")
def components() -> Components:
    return replace(simulate_demonstration(pixels=64), findings=Findings((FAIR,)))


def picture_of(page: str) -> np.ndarray:
    found = re.search(r'src="data:image/png;base64,([^"]+)"', page)
    assert found is not None
    return imread(io.BytesIO(base64.b64decode(found.group(1))), format="png")


def test_table_picture_and_findings_stand_in_one_page(components: Components) -> None:
    page = components._repr_html_()
    assert page.startswith(components.table().html())
    assert picture_of(page).shape[1] == WIDTH
    assert "order &lt;b&gt;is&lt;/b&gt; fair" in page


def test_the_picture_shows_something(components: Components) -> None:
    assert np.unique(picture_of(components._repr_html_())[..., 0]).size > 50


def test_poor_findings_are_open_and_others_folded(components: Components) -> None:
    assert "<details>" in components._repr_html_()
    assert "<details open>" in replace(components, findings=Findings((POOR, FAIR)))._repr_html_()


def test_a_result_without_findings_shows_none(components: Components) -> None:
    assert "<details" not in replace(components, findings=Findings())._repr_html_()


def test_findings_are_a_table_alone() -> None:
    findings: Result = Findings((FAIR,))
    assert findings._repr_html_() == findings.table().html()
