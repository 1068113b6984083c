"""Commands on an installation, run in the tests' own process."""

import pytest

from phx_pipeline_tests.commands import Ended, Phx, UseSettings
from phx_pipeline_tests.deployment import Deployment


@pytest.fixture
def phx_on(phx: Phx, use_settings: UseSettings) -> Phx:
    """Run a command line on a deployment, as the script `phx` does."""

    def run(made: Deployment, *arguments: str) -> Ended:
        use_settings(made.settings)
        return phx(*arguments)

    return run
