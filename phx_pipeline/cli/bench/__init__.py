"""`phx bench`: figures of this machine, beside those of other ways in the same run."""
