"""The steps of a pipeline, run as a runner runs them."""

import pytest


@pytest.fixture
def folder(tmp_path):
    """A folder that the steps run in."""
    (tmp_path / "temp").mkdir()
    return tmp_path
