"""Django's own settings for its tests, with a runner that keeps a record."""

from test_sqlite import *  # noqa: F403

TEST_RUNNER = "record.Runner"
