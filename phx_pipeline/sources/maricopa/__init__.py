"""Maricopa County Assessor: `search` finds the parcel, `parcel` reads what is known.

`parcel_map` asks the county's public map instead, where there is no token.
"""

from phx_pipeline.sources.maricopa.adapter import MaricopaAssessor

__all__ = ["MaricopaAssessor"]
