"""Which sources are asked, and with which tokens; how they are asked is `fetching`."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from phx_pipeline.errors import InputError
from phx_pipeline.model.source import LETTERED, Source, in_order
from phx_pipeline.settings.variables import (
    Environment,
    token,
    variable_of,
    wrong_names,
)

_TOKENS = ("maricopa_token", "reso_token", "spark_token")


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Sources:
    """The sources, and what they are asked with."""

    sources: tuple[Source, ...]  # none: every one that this machine can ask
    maricopa_token: str | None = field(repr=False)
    reso_token: str | None = field(repr=False)
    spark_token: str | None = field(repr=False)

    @property
    def secrets(self) -> Mapping[str, str]:
        """What sources are asked with, by the name of the variable that holds it."""
        named = {variable_of(name): getattr(self, name) for name in _TOKENS}
        return {name: token for name, token in named.items() if token}


def read_sources(given: Environment) -> Sources:
    """Read which sources are asked."""
    return Sources(
        sources=_sources(given),
        maricopa_token=token(given, "MARICOPA_TOKEN"),
        reso_token=token(given, "RESO_TOKEN"),
        spark_token=token(given, "SPARK_TOKEN"),
    )


def parse_sources(
    text: str, *, by: str, among: Collection[Source] | None = None
) -> tuple[Source, ...]:
    """Read a comma-separated list of source names; order and repeats do not matter.

    Raises:
        InputError: some are none; *by* is the option or variable that names them,
            and those *among* which to choose are told, all by default.
    """
    names = {name.strip() for name in text.split(",") if name.strip()}
    known = set(LETTERED) - {Source.UNKNOWN}
    if not names <= known:
        known |= set(_registered())
    if not names or (unknown := sorted(names - known)):
        choice = in_order(_registered() if among is None else among)
        wrong = wrong_names(unknown, among=choice) if names else repr(text)
        raise InputError(
            f"{by}: unknown source {wrong}: choose from {', '.join(choice)}"
        )
    return tuple(in_order(map(Source, names)))


def _sources(given: Environment) -> tuple[Source, ...]:
    text = given.get("PHX_SOURCES")
    return parse_sources(text, by="PHX_SOURCES") if text else ()


def _registered() -> Collection[Source]:
    from phx_pipeline.sources.registry import (  # noqa: PLC0415 - 0.1 s, seldom used
        available_sources,
    )

    return available_sources()
