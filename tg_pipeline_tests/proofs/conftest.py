"""Archives in folders and schemas of their own, as the tests of the flows have them."""

from tg_pipeline_tests.flows.conftest import archive, new_archive

__all__ = ["archive", "new_archive"]
