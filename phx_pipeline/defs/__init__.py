"""All that knows Dagster: assets, checks, sensors, resources, launcher, submission.

What the assets do lives in `stages`; nothing here decides about photos.
"""
