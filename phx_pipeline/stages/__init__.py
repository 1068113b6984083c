"""One use case per asset, without Dagster: load the rows, decide, commit the diff."""
