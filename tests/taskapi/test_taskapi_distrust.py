"""Why a certificate was refused, looked for along the causes of an error."""

from taskspec.taskapi.drivers.dialling import distrust


def test_a_chain_of_errors_that_leads_back_into_itself_is_followed_once():
    first, second = OSError("refused"), OSError("refused once more")
    first.__cause__, second.__context__ = second, first
    assert distrust(first) is None
