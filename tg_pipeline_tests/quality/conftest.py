import itertools

import pytest

from tg_pipeline.landing import LandingZone
from tg_pipeline.store.database import Database
from tg_pipeline_tests.quality.house import House


@pytest.fixture
def house(database: Database, zone: LandingZone) -> House:
    """An empty archive."""
    return House(database, zone, itertools.count(1))
