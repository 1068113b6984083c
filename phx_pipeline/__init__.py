"""Collects the photos of houses people may buy, as a Dagster asset pipeline."""
