"""Owns what answers over HTTP: the guard, and Dagster's web app behind it."""
