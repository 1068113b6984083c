"""The whole way in, put together: guard, gate and login before an app."""

from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from time import monotonic

from phx_pipeline.model.access import Principal, Role
from phx_pipeline.service.access import Access, CatalogStore, KeyRing
from phx_pipeline.service.asgi import App
from phx_pipeline.service.bounds import Bounds
from phx_pipeline.service.cookies import Cookies
from phx_pipeline.service.gate import Gate
from phx_pipeline.service.guard import Guard
from phx_pipeline.service.login import Login
from phx_pipeline.service.reach import Reach
from phx_pipeline.service.throttle import WrongKeys
from phx_pipeline.service.trail import OpenCatalog, Trail
from phx_pipeline.settings import Settings


def guarded(
    app: App,
    *,
    reach: Reach,
    user: str,
    trail: Trail,
    open_catalog: OpenCatalog,
    bounds: Bounds,
    clock: Callable[[], datetime],
) -> Guard:
    """Return *app* behind guard and gate.

    Args:
        app: Dagster's web app, with ours on it.
        reach: Under which names it is reached.
        user: The one user as long as there is no key.
        trail: Notes what was changed.
        open_catalog: Opens the catalogue for one look.
        bounds: Of what users do who come with a key.
        clock: The wall clock.
    """
    cookies, wrong_keys = Cookies(reach), WrongKeys(monotonic)
    access = Access(
        KeyRing(CatalogStore(open_catalog, clock=clock)),
        local=Principal(user=user, role=Role.ADMIN, is_local=True),
        is_beyond_loopback=reach.is_beyond_loopback,
        clock=clock,
    )
    login = Login(
        access=access,
        cookies=cookies,
        wrong_keys=wrong_keys,
        reach=reach,
        trail=trail,
    )
    gate = Gate(
        app=app,
        login=login,
        access=access,
        cookies=cookies,
        wrong_keys=wrong_keys,
        reach=reach,
        trail=trail,
        bounds=bounds,
    )
    return Guard(gate, reach=reach)


def require_safe(
    reach: Reach, *, open_catalog: OpenCatalog, clock: Callable[[], datetime]
) -> None:
    """Raise `InputError`, with the remedy, if it must not be served like this."""

    def has_key() -> bool:
        at = clock()
        with closing(open_catalog()) as catalog:
            return any(key.is_valid(at=at) for key in catalog.access.all_keys())

    reach.require_safe(has_key=has_key)


def reach_of(settings: Settings, *, host: str, port: int) -> Reach:
    """Return how the service of *settings* is reached that listens on *host*."""
    return Reach(
        host=host,
        port=port,
        has_tls=settings.tls_cert is not None,
        public_url=settings.public_url,
        trusted_proxy=settings.trusted_proxy,
    )
