"""How many days of faults count, in numbers alone; the rule itself is `model.due`."""

from typing import Final

FINAL_AFTER_DAYS: Final = 3
MOST_FAULT_DAYS: Final = 30  # nobody may ask for more, so no more are counted
