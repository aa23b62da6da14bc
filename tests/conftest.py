"""What holds for every test: properties are tried without a look at the clock."""

from hypothesis import HealthCheck, settings

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=40)
settings.load_profile("unhurried")
