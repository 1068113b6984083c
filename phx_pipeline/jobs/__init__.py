"""Jobs: asked for, shared, given their turns, cancelled, asked for again.

Here is what happens to a job and why. Its rows are `catalog`'s, and what a run does is
the stages'; Dagster is reached only through the ports of `model.run_queue`.
"""
