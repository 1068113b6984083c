"""Which methods, paths and types of content are let through."""

import pytest

from phx_pipeline_tests.unit.service.guard.conftest import (
    EDITOR,
    FOREIGN,
    JSON,
    OWN_PAGE,
    TYPED,
    Fields,
    request,
    status,
)


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "CONNECT", "get", "PROPFIND"])
def test_other_methods_are_refused(method: str) -> None:
    assert status(request(method, "/graphql", OWN_PAGE)) == 405


@pytest.mark.parametrize(
    "path",
    [
        *("/graphql\n", "/a\r\nb", "/\x00", "/\x7f", "*", "", "http://x/", "graphql"),
        *("/..", "/../a", "/logs/a/../../b.out", "/./a", "/a/."),
    ],
)
def test_a_path_is_a_path(path: str) -> None:
    assert status(request("GET", path)) == 400


@pytest.mark.parametrize(
    "path",
    ["/assets/raw_images", "/locations/phx_pipeline@x", "/a b", "/straße", "/a..b/.c"],
)
def test_the_paths_of_pages_are_taken(path: str) -> None:
    assert status(request("GET", path)) == 200


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON"],
)
def test_graphql_takes_json(content_type: str) -> None:
    asked = request("POST", "/graphql", {**OWN_PAGE, "content-type": content_type})

    assert status(asked) == 200


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"content-type": ""},
        {"content-type": "text/plain"},
        {"content-type": "text/plain; a=application/json"},
        {"content-type": "text/plain, application/json"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "multipart/form-data; boundary=application/json"},
        {"content-type": "application/graphql"},
        {"content-type": "application/json-x"},
        [("content-type", "application/json"), ("content-type", "text/plain")],
    ],
)
@pytest.mark.parametrize("path", ["/graphql", "/graphql/"])
def test_graphql_takes_nothing_else(path: str, fields: Fields) -> None:
    """Not from programs either: what no program needs, no page can be made to send."""
    assert status(request("POST", path, fields, query=b"query={version}")) == 415


@pytest.mark.parametrize(
    ("fields", "query"),
    [
        ({}, b""),
        ({}, b"query=mutation%7Bx%7D"),
        ({"accept": "application/json"}, b"query=%7Bversion%7D"),
        (EDITOR, b"query=mutation%7Bx%7D"),
        ({**TYPED, **EDITOR}, b"query=mutation%7Bx%7D"),
        ([("accept", "text/html"), ("accept", "*/*")], b""),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_nothing_of_graphql_is_done_by_get(
    method: str, fields: Fields, query: bytes
) -> None:
    assert status(request(method, "/graphql", fields, query=query)) == 405


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_graphql_knows_post_alone(method: str) -> None:
    assert status(request(method, "/graphql", JSON)) == 405


def test_the_editor_of_graphql_opens() -> None:
    assert status(request("GET", "/graphql", {**TYPED, **EDITOR})) == 200


@pytest.mark.parametrize(
    "path",
    [
        "/report_asset_materialization/a",
        "/report_asset_check/a",
        "/report_asset_observation/a",
        "/report_runless_asset_event/a",
    ],
)
def test_events_of_assets_come_from_programs_as_json(path: str) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}

    assert status(request("POST", path, JSON)) == 200
    assert status(request("POST", path)) == 200
    assert status(request("POST", path, form)) == 415
    assert status(request("POST", path, FOREIGN)) == 403
    assert status(request("POST", path, {"origin": "null"})) == 403
