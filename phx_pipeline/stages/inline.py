"""Pictures that come inside an answer: stored before its listing, found when collected.

They then go the way of all photos: examined, hashed, compared, named.
"""

import asyncio

from phx_pipeline.errors import StorageError, TransientError
from phx_pipeline.fetch.base import Fetched, Fetcher, Request
from phx_pipeline.model.inline import inline_sha256
from phx_pipeline.model.listing import Listing
from phx_pipeline.storage.blobs import BlobStore


def keep_inline(blobs: BlobStore, listing: Listing) -> None:
    """Store the pictures that came with *listing*; call it before that is recorded."""
    for body in listing.inline.values():
        blobs.put_raw(body)


class InlineFetcher:
    """A fetcher that takes pictures of answers from the store, all else from inside.

    Where the bytes are gone they come again with the next answer of the source, so that
    is a passing fault.
    """

    def __init__(self, inner: Fetcher, *, blobs: BlobStore) -> None:
        self._inner = inner
        self._blobs = blobs

    async def get(self, request: Request) -> Fetched:
        """Return the answer, judged; the exceptions are those of `Fetcher.get`."""
        sha256 = inline_sha256(request.url)
        if sha256 is None:
            return await self._inner.get(request)
        try:
            body = await asyncio.to_thread(self._blobs.read_raw, sha256)
        except StorageError as error:
            told = "the picture came inside an answer, and its bytes are gone"
            raise TransientError(told, url=request.url) from error
        answer = Fetched(url=request.url, status=200, headers={}, body=body)
        if request.judge is not None:
            await request.judge(answer)
        return answer

    async def aclose(self) -> None:
        """Close the fetcher inside."""
        await self._inner.aclose()
