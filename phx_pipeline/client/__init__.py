"""The client: hand in extraction jobs, watch them, call them off.

`connect` returns a `Client`, which works straight on the catalogue of this machine or,
where a server is named, by HTTP; the values are the same.

    from phx_pipeline.client import connect

    with connect() as client:
        job_id = client.submit(["4732 W Davis Rd, Glendale, AZ 85306"])
        job = client.wait(job_id, timeout_s=3600)
        print(job.state, job.new_images, job.failed_properties_list)

What a job does is not told here (`stages`), nor who comes first (`jobs`).
"""

from phx_pipeline.client.base import Client
from phx_pipeline.client.progress import Photos, Progress
from phx_pipeline.settings import load_settings, served_at

__all__ = ["Client", "Photos", "Progress", "connect"]


def connect(server: str | None = None, key: str | None = None) -> Client:
    """Return a client; close it, or use it in a `with` block.

    >>> with connect("https://pictures.example", key="phx_…") as client:
    ...     job_id = client.submit("all")

    Args:
        server: URL of a service, as `PHX_SERVER`, which counts where this is None.
            With an empty text, or where neither is given, the client works on the
            catalogue of this machine.
        key: of the service, as `PHX_KEY`, which counts where this is None.

    Raises:
        InputError: a setting or the URL cannot be used.
        RevisionError: the catalogue is not of this version: run `phx init`.
    """
    settings = load_settings()
    named = settings.server if server is None else served_at(server, by="server")
    if named:
        from phx_pipeline.client.remote import RemoteClient  # noqa: PLC0415 - httpx

        key_by = "PHX_KEY" if key is None else "key"
        key = settings.key if key is None else key
        return RemoteClient.at(named, key=key, ca_file=settings.ca_file, key_by=key_by)
    from phx_pipeline.client.direct import CatalogClient  # noqa: PLC0415 - opens stores

    return CatalogClient.on(settings)
