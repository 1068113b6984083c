"""UDP goes round any proxy, and would tell a site where this machine really is."""

import socket
from collections.abc import Iterator

import pytest

from phx_pipeline.fetch.clients.browser import launch as launching
from phx_pipeline.fetch.clients.browser.launch import Launch, launch
from phx_pipeline_tests.integration.fetch.browser.conftest import attached

_ASK_ABROAD = """new Promise(done => {
  const found = [];
  const peer = new RTCPeerConnection({iceServers: [{urls: 'stun:127.0.0.1:PORT'}]});
  peer.onicecandidate = ({candidate}) =>
    candidate ? found.push(candidate.candidate) : done(found);
  peer.createDataChannel('x');
  peer.setLocalDescription();
  setTimeout(() => done(found), 3000);
})"""


@pytest.fixture
def abroad() -> Iterator[socket.socket]:
    """Where a page sends its datagrams."""
    with socket.socket(type=socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.setblocking(False)
        yield listening


@pytest.mark.parametrize("kept_in", [True, False])
def test_a_page_sends_no_datagram_past_the_proxy(
    plan: Launch,
    abroad: socket.socket,
    monkeypatch: pytest.MonkeyPatch,
    *,
    kept_in: bool,
) -> None:
    if not kept_in:  # shows that the test would see one
        flags = [flag for flag in launching._FLAGS if "webrtc" not in flag]
        monkeypatch.setattr(launching, "_FLAGS", tuple(flags))
    asking = _ASK_ABROAD.replace("PORT", str(abroad.getsockname()[1]))
    browser = launch(plan)
    try:
        with attached(browser) as ask:
            told = ask(
                "Runtime.evaluate",
                expression=asking,
                awaitPromise=True,
                returnByValue=True,
            )
    finally:
        browser.stop()

    assert (_received(abroad) == 0) is kept_in
    assert [it for it in told["result"]["value"] if "udp" in it] == [] or not kept_in


def _received(listening: socket.socket) -> int:
    try:
        return len(listening.recv(2048))
    except BlockingIOError:
        return 0
