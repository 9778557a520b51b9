"""A stand-in provider of its own for each run of faults."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.providers import StandIn


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[StandIn]:
    stand_in = StandIn("http", tmp_path)
    yield stand_in
    stand_in.stop()
