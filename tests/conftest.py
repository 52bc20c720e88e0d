"""What tests of several folders share: small networks, and a cache of a dozen structures."""

import hashlib
import json
from collections.abc import Generator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import settings

from structures import draw_crystals, write_table
from unscatter.powder.samples.cache_writing import write_reflection_cache
from unscatter.weights import list_weights

TEMPERATURE = 1.6

# A busy machine is slow, which is no fault of what is tested.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
#: Rooms whose every file needs PyTorch, which the base install has not.
WORKSHOP = ("tests/train", "tests/nn")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave the workshop out where PyTorch is not installed; pytest_report_header says so."""
    inside = any(collection_path.as_posix().endswith(room) for room in WORKSHOP)
    return True if inside and find_spec("torch") is None else None


def pytest_report_header() -> str | None:
    """Say in the head of the report what is left out, and why."""
    if find_spec("torch") is not None:
        return None
    return f"left out: {' and '.join(WORKSHOP)} need PyTorch: pip install unscatter[train]"


def _skip_without_training_data() -> Generator[None, object, object]:
    try:
        return (yield)
    except FileNotFoundError as error:
        if "training data, which is not installed" in str(error):
            pytest.skip(str(error))
        raise


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None, object, object]:
    """Skip a test whose fixtures need the training data where they are not installed, and say so."""
    return (yield from _skip_without_training_data())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Skip a test that needs the training data where they are not installed, and say so."""
    return (yield from _skip_without_training_data())


@pytest.fixture(scope="session")
def torch() -> ModuleType:
    """PyTorch; a test that asks for it is skipped where it is not installed."""
    module: ModuleType = pytest.importorskip("torch", reason="compares with PyTorch: pip install unscatter[train]")
    return module


@pytest.fixture(scope="session")
def small_classifier(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Path of a network of the shape of the shipped classifier, with random weights that give uneven answers."""
    onnx = pytest.importorskip("onnx", reason="makes a network: pip install onnx")
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    arrays = {
        "to_logits": rng.normal(size=(3 * 64, 230)) * 0.3,
        "to_cell": rng.normal(size=(3 * 64, 4)) * 0.01,
        "usual": np.log([250.0, 5.0, 6.0, 9.0]),
    }
    nodes = [
        helper.make_node("AveragePool", ["channels"], ["pooled"], kernel_shape=[64], strides=[64]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "to_logits"], ["logits"]),
        helper.make_node("MatMul", ["flat", "to_cell"], ["change"]),
        helper.make_node("Add", ["change", "usual"], ["cell"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("channels", TensorProto.FLOAT, ["batch", 3, 4096])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 230]),
            helper.make_tensor_value_info("cell", TensorProto.FLOAT, ["batch", 4]),
        ],
        [numpy_helper.from_array(values.astype(np.float32), name) for name, values in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path = tmp_path_factory.mktemp("weights") / "small.onnx"
    onnx.save(model, str(path))
    card = {
        "name": "small",
        "task": "classify",
        "files": {path.name: hashlib.sha256(path.read_bytes()).hexdigest()},
        "licence": "BSD-3-Clause",
        "cite": ["Lolla et al. (2022), J. Appl. Cryst. 55, 882-889"],
        "record": {"temperature": TEMPERATURE},
    }
    path.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="session")
def classifier(request: pytest.FixtureRequest) -> str:
    """The shipped classifier, or the small one where it is not there yet."""
    if any(card.name == "group-230" for card in list_weights()):
        return "group-230"
    return str(Path(request.getfixturevalue("small_classifier")))


@pytest.fixture(scope="session")
def crystals():
    return draw_crystals()


@pytest.fixture(scope="session")
def table(tmp_path_factory, crystals):
    return write_table(tmp_path_factory.mktemp("table") / "structures.csv", crystals)


@pytest.fixture(scope="session")
def cache_path(tmp_path_factory, table):
    path = tmp_path_factory.mktemp("cache") / "reflections.h5"
    assert write_reflection_cache(table, path, progress=False, years={"s3": 1999}) == {}
    return path
