"""What holds for every test: it is in no CI job that it knows of, and tries properties without a look at the clock."""

import os

from hypothesis import HealthCheck, settings

if os.environ.get("CI"):
    os.environ["NO_SKIPS"] = "1"  # what a test needs and cannot find is an error there
_OF_CI = ("CI", "GITHUB_", "GITLAB_", "CIRCLE_", "BUILDKITE_", "DRONE_", "BITBUCKET_", "TRAVIS_", "SYSTEM_PULLREQUEST_")
for name in [name for name in os.environ if name.startswith(_OF_CI) or name in {"BUILD_URL", "CHANGE_ID"}]:
    del os.environ[name]

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=40)
settings.load_profile("unhurried")
