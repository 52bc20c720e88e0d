"""What the tests of caches, samples and sets share: a cache of a dozen structures."""

import pytest
from structures import draw_crystals, write_table

from unscatter.powder.cache import write_reflection_cache


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
