"""Sensors: each a thin edge around a pure decision."""
