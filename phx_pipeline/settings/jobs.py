"""How much a user may ask for, how long work is waited for, and kept in history."""

from dataclasses import dataclass

from phx_pipeline.settings.variables import Environment, limit, whole


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Jobs:
    """Limits of jobs, leases in seconds, and the days of history."""

    keep_runs_days: int
    jobs_per_hour: int
    jobs_per_day: int
    jobs_at_once: int
    images_per_day: int
    lease_ttl_s: int
    lease_wait_s: int


def read_jobs(given: Environment) -> Jobs:
    """Read the limits of jobs, and the times of leases."""
    return Jobs(
        keep_runs_days=whole(given, "KEEP_RUNS_DAYS", default=30, low=1, high=3650),
        jobs_per_hour=limit(given, "JOBS_PER_HOUR", default=10),
        jobs_per_day=limit(given, "JOBS_PER_DAY", default=50),
        jobs_at_once=limit(given, "JOBS_AT_ONCE", default=5),
        images_per_day=limit(given, "IMAGES_PER_DAY", default=20_000),
        lease_ttl_s=whole(given, "LEASE_TTL_S", default=30, low=1, high=3600),
        lease_wait_s=whole(given, "LEASE_WAIT_S", default=600, low=0, high=86400),
    )
