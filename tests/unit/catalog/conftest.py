"""The catalogue, loaded once: its cards are immutable."""

import pytest
from rushes.catalog.loader import Catalog, load_catalog


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return load_catalog(test_models=True)
