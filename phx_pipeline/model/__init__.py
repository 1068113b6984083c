"""Frozen values, enums, naming and outcomes: what every other room speaks."""
