"""What users who come with a key may ask for, by the settings."""

from phx_pipeline.jobs.quota import Limits
from phx_pipeline.settings import Settings


def quota_limits(settings: Settings) -> Limits:
    """What a user who comes with a key may ask for."""
    return Limits(
        jobs_per_hour=settings.jobs_per_hour,
        jobs_per_day=settings.jobs_per_day,
        jobs_at_once=settings.jobs_at_once,
        images_per_day=settings.images_per_day,
    )
