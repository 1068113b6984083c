"""Phoenix MLS: `adapter` chooses the way, `idx_site` asks the public site.

The modules named `idx` read its pages, `photos` knows the photos by every way.
"""

from phx_pipeline.sources.phoenix_mls.adapter import PhoenixMls

__all__ = ["PhoenixMls"]
