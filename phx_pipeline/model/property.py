"""A property: its canonical address, its key and its folder."""

from dataclasses import dataclass

from phx_pipeline.model.address import Address, Match


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """A house people follow. `slug` is its unique key and its partition key.

    `spellings` are the match keys of addresses a person said are this house,
    `strangers` of those a person said are not.
    """

    slug: str
    folder: str
    address: Address
    spellings: frozenset[str] = frozenset()
    strangers: frozenset[str] = frozenset()

    @classmethod
    def at(cls, address: Address) -> "Property":
        """Return the property of an address, with key and folder unless taken."""
        return cls(slug=address.slug, folder=address.folder_id(), address=address)

    def means(self, address: Address) -> Match:
        """Tell whether an address is this house; what a person said counts first."""
        match = self.address.compare(address)
        if match is Match.SAME:
            return match
        key = address.match_key
        if key in self.spellings:
            return Match.SAME
        return Match.OTHER if key in self.strangers else match
