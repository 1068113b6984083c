"""Listing sources: where their pages are, and how they are read."""
