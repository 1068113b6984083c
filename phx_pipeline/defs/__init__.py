"""All that knows Dagster: assets, checks, sensors, resources, launcher, submission.

What the assets do lives in `stages`; nothing here decides about photos.
"""

import atexit
import gc

# A process at its end would once more look through the 200,000 objects that Dagster's
# modules made: 0.7 s, a quarter of what a run's worker costs.
atexit.register(gc.freeze)
