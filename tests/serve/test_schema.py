"""Requests made from the schema of the running server, and from options of its jobs: none ends in a fault of ours."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("schemathesis", reason="makes requests: pip install schemathesis")
pytest.importorskip("fastapi", reason='needs FastAPI: pip install "unscatter[serve]"')
pytest.importorskip("httpx2", reason="the client of these tests: pip install httpx2")
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from live import Live
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from unscatter.serve.api import make_app
from unscatter.serve.limits import Limits
from unscatter.serve.requests import describe_jobs

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
FREELY = settings(
    max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def described(live: Live) -> Any:
    return schemathesis.openapi.from_url(f"{live.address}/openapi.json")


OPERATIONS = (
    ("POST", "/api/files"),
    ("GET", "/api/jobs"),
    ("GET", "/api/limits"),
    ("POST", "/api/tasks"),
    ("GET", "/api/tasks/{task}"),
    ("GET", "/api/tasks/{task}/files/{name}"),
    ("GET", "/api/tasks/{task}/volume/{name}"),
)


def test_the_list_of_operations_is_whole(described: Any) -> None:
    assert {one.ok().label for one in described.get_all_operations()} == {" ".join(one) for one in OPERATIONS}


@pytest.mark.parametrize(("verb", "path"), OPERATIONS)
def test_every_answer_is_one_that_the_schema_tells_of(described: Any, verb: str, path: str) -> None:
    @given(case=described[path][verb].as_strategy())
    @FREELY
    def ask(case: Any) -> None:
        case.call_and_validate(checks=CHECKS)

    ask()


@pytest.fixture(scope="module")
def desk() -> Iterator[tuple[TestClient, str]]:
    """A server whose tasks end at once, and a file on it."""
    with tempfile.TemporaryDirectory() as folder:
        limits = Limits(folder=Path(folder), workers=1, waiting=2, seconds=0.05)
        with TestClient(make_app(limits), headers={"host": "127.0.0.1:8501"}) as client:
            yield client, client.post("/api/files", params={"name": "p.npy"}, content=b"nothing").json()["id"]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("job", describe_jobs())
def test_any_value_of_any_option_is_taken_or_refused_in_words(job: str, desk: tuple[TestClient, str]) -> None:
    names = st.sampled_from([*describe_jobs()[job]["properties"], "mask", "table", "form_factor", "nonsense"])

    @given(options=st.dictionaries(names, ANYTHING, max_size=3))
    @FREELY
    def ask(options: dict[str, Any]) -> None:
        import json

        body = json.dumps({"job": job, "file": desk[1], "options": options})
        answer = desk[0].post("/api/tasks", content=body, headers={"content-type": "application/json"})
        assert answer.status_code in (202, 400, 422, 503)
        if answer.status_code != 202:
            assert answer.json()["detail"]

    ask()
