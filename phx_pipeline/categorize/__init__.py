"""Naming what a photo shows: backends vote or abstain, votes are fused."""
