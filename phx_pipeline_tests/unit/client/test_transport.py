"""What is sent again: what is safe to repeat, and what cannot have arrived."""

import pytest

from phx_pipeline.client.transport import Transport
from phx_pipeline.errors import ServiceError
from phx_pipeline.supervise.addresses import free_port
from phx_pipeline_tests.web_hook import hooked

HANGS_UP = b"no answer of HTTP"


@pytest.mark.parametrize("raw", [b"", HANGS_UP], ids=["503", "hangs up"])
@pytest.mark.parametrize(("is_safe", "times"), [(True, 4), (False, 1)])
def test_what_may_have_arrived_is_sent_again_only_where_that_is_safe(
    raw: bytes, times: int, *, is_safe: bool
) -> None:
    with hooked() as service:
        service.status, service.raw = 503, raw
        with (
            Transport(service.url, sleep=lambda _: None) as transport,
            pytest.raises(ServiceError),
        ):
            transport.ask("POST", "/jobs", body={}, is_safe=is_safe)

    assert len(service.posts) == times


def test_what_cannot_have_arrived_is_sent_again_though_that_is_not_safe() -> None:
    pauses: list[float] = []
    server = f"http://127.0.0.1:{free_port()}"

    with (
        Transport(server, sleep=pauses.append) as transport,
        pytest.raises(ServiceError),
    ):
        transport.ask("POST", "/jobs", body={}, is_safe=False)

    assert pauses == [0.5, 1.0, 2.0]
