"""Names and ranges that tests of several rooms of settings go through."""

NUMBERS = {
    "PHX_DOWNLOADS": ("downloads", 1, 20),
    "PHX_PACE_PERCENT": ("pace_percent", 0, 1000),
    "PHX_ATTEMPTS": ("attempts", 1, 3),
    "PHX_MAX_SIDE": ("max_side", 200, 8192),
    "PHX_STALE_DAYS": ("stale_days", 0, 3650),
    "PHX_FINAL_AFTER_DAYS": ("final_after_days", 1, 30),
    "PHX_KEEP_RUNS_DAYS": ("keep_runs_days", 1, 3650),
    "PHX_LOOK_MINUTES": ("look_minutes", 1, 1440),
    "PHX_DAILY_PAGES": ("daily_pages", 1, 1_000_000_000),
    "PHX_JOBS_PER_HOUR": ("jobs_per_hour", 0, 10**9),
    "PHX_JOBS_PER_DAY": ("jobs_per_day", 0, 10**9),
    "PHX_JOBS_AT_ONCE": ("jobs_at_once", 0, 10**9),
    "PHX_IMAGES_PER_DAY": ("images_per_day", 0, 10**9),
    "PHX_LEASE_TTL_S": ("lease_ttl_s", 1, 3600),
    "PHX_LEASE_WAIT_S": ("lease_wait_s", 0, 86400),
    "PHX_WEBSERVER_PORT": ("webserver_port", 1, 65535),
    "PHX_SMTP_PORT": ("smtp_port", 1, 65535),
}
UTC = "options=-c%20timezone%3DUTC"
DAGSTER_URL = f"postgresql+psycopg2://phx@localhost/dagster?{UTC}"
TOKENS = {name: f"{name}!" for name in ("maricopa_token", "reso_token", "spark_token")}
OTHER_PROXIES = {"PHX_PROXIES_FILE", "PHX_WEBSHARE_TOKEN"}  # not beside PHX_PROXY
