"""Redfin: `find` reads the address search, `parse` the listing page, `adapter` asks."""

from phx_pipeline.sources.redfin.adapter import Redfin

__all__ = ["Redfin"]
