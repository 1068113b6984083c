"""Fits, judges and calibrates heads on features; numpy alone, no file, no network."""
