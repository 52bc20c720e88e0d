"""A tutorial runs as the notebook that its page offers, and results show themselves in it."""

import json
from pathlib import Path

import pytest

pytest.importorskip("nbclient", reason='needs a notebook to run: pip install "unscatter[docs,test]"')
pytest.importorskip("ipykernel", reason='needs a kernel: pip install "unscatter[docs,test]"')
pytest.importorskip("sphinx_gallery", reason='writes the notebook: pip install "unscatter[docs]"')

import nbformat
from nbclient import NotebookClient
from sphinx_gallery import gen_gallery, notebook, py_source_parser

EXAMPLES = Path(__file__).parents[1] / "examples"


def as_notebook(script: Path) -> nbformat.NotebookNode:
    """The notebook that sphinx-gallery makes of an example."""
    _, blocks = py_source_parser.split_code_and_text_blocks(str(script))
    made = notebook.jupyter_notebook(blocks, dict(gen_gallery.DEFAULT_GALLERY_CONF), str(script.parent))
    return nbformat.reads(json.dumps(made), as_version=4)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_tutorial_of_the_powder_wing_runs_and_its_results_show_table_picture_and_findings(tmp_path: Path) -> None:
    book = as_notebook(EXAMPLES / "tutorials" / "plot_tutorial_powder.py")
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(book, timeout=300, kernel_name="python3", resources=resources).execute()
    shown = [
        output["data"]["text/html"]
        for cell in book.cells
        for output in cell.get("outputs", ())
        if "text/html" in output.get("data", {})
    ]
    ranking, fit = shown
    assert "<table" in ranking
    assert "data:image/png;base64," in ranking
    assert "<details" in ranking
    assert "hR" in fit
    assert "data:image/png;base64," in fit


@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("*/plot_*.py")), ids=lambda path: path.stem)
def test_every_example_is_a_notebook_that_begins_with_words(script: Path) -> None:
    book = as_notebook(script)
    kinds = [cell["cell_type"] for cell in book.cells]
    assert kinds[0] == "markdown"
    assert "code" in kinds
    nbformat.validate(book)
