"""What backends that name pictures are made with, and which are lacking here."""

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.categorize.registry import Equipment
from phx_pipeline.settings import Settings
from phx_pipeline.stages.trained_models import model_in_use
from phx_pipeline.storage.layout import Layout


def build_equipment(settings: Settings, catalog: Catalog) -> Equipment:
    """Return what backends of `categorize.registry` are made with."""
    used = model_in_use(catalog)
    return Equipment(
        cache_dir=Layout(settings.data_dir).networks,
        features=catalog.features,
        trained=used.model if used else None,
    )
