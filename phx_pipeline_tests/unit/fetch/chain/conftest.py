"""A site of made answers, as the layers of the chain ask it."""

from collections.abc import Mapping

from phx_pipeline.fetch.base import Fetched, Request, RequestKind
from phx_pipeline.fetch.hosts import AllowList
from phx_pipeline.model.source import Source

NOW_S = 1_796_000_000.0
SITE = "https://www.zillow.com"
HOME = f"{SITE}/home"
ALLOW_LIST = AllowList({Source.ZILLOW: ("zillow.com",)})


def answer(status: int, *, url: str = HOME, **headers: str) -> Fetched:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fetched(url=url, status=status, headers=named, body=b"")


def request(
    *, headers: Mapping[str, str] | None = None, timeout_s: float = 5
) -> Request:
    return Request(
        url=HOME,
        source=Source.ZILLOW,
        kind=RequestKind.PAGE,
        headers=headers or {},
        timeout_s=timeout_s,
    )


class Site:
    """Answers by URL and remembers what it was asked."""

    def __init__(self, pages: Mapping[str, Fetched]) -> None:
        self.pages = pages
        self.asked: list[Request] = []
        self.closed = False

    async def get(self, request: Request) -> Fetched:
        self.asked.append(request)
        return self.pages[request.url]

    async def aclose(self) -> None:
        self.closed = True

    @property
    def urls(self) -> list[str]:
        return [request.url for request in self.asked]
