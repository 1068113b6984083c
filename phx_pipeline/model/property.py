"""A property: its canonical address, its key and its folder."""

from dataclasses import dataclass

from phx_pipeline.model.address import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """A house people follow. `slug` is its unique key and its partition key."""

    slug: str
    folder: str
    address: Address

    @classmethod
    def at(cls, address: Address) -> "Property":
        """Return the property of an address, with the folder it has unless taken."""
        return cls(slug=address.slug, folder=address.folder_id(), address=address)
