"""Requests made up from the OpenAPI document, sent to the app within this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import response_schema_conformance

from phx_pipeline.service.api.rest import build_rest
from phx_pipeline.service.api.stores import Stores
from phx_pipeline.settings import Settings
from phx_pipeline.wiring.clock import utc_now
from phx_pipeline_tests.queue_stand_in import QueueStandIn

# It goes on until a job has ended, which nothing does here.
_ENDLESS = "/api/extraction/jobs/{job_id}/events"
_CALM = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)


@contextmanager
def operations(stores_of: Settings) -> Iterator[list[Any]]:
    """All operations of the interface on these stores but endless ones."""
    stores = Stores(stores_of)
    queue = QueueStandIn(utc_now)
    app = build_rest(stores, runs=lambda _catalog: queue, checks={}, local_user="x")
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    try:
        every: Any = schema.get_all_operations()
        found = [it.ok() for it in every]
        yield [it for it in found if it.path != _ENDLESS]
    finally:
        stores.close()


def fuzz(operation: Any, *, examples: int) -> None:
    """Ask by *examples* requests; none may be answered by an error of ours."""

    @settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=_CALM,
        phases=[Phase.explicit, Phase.generate],
        database=None,
        derandomize=examples < 20,
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        answer = case.call()
        assert answer.status_code < 500, (case.as_curl_command(), answer.text)
        if answer.status_code < 300:
            case.validate_response(answer, checks=[response_schema_conformance])

    ask()
