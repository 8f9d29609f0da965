import pytest

from tests.databases import lay_database
from tests.stories.stage import district_on_stage


@pytest.fixture
def stage(tmp_path, redis_url):
    database_url = lay_database(tmp_path)
    with district_on_stage(tmp_path, database_url, redis_url) as stage:
        yield stage
