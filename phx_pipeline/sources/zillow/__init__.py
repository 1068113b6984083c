"""Zillow: `payload`, `search`, `gallery`, `detail` read its pages, `adapter` asks."""

from phx_pipeline.sources.zillow.adapter import Zillow

__all__ = ["Zillow"]
