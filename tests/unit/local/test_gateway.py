"""The gateway against worked events of payload format 2.0, and its own answers."""

import base64
import json
from collections.abc import Iterator

import pytest

from local.clock import Clock
from local.description import Route
from local.gateway import LARGEST_ANSWER, LARGEST_REQUEST, Gateway, Request, Response
from local.runtime import FunctionFailed
from local.world import World

ROUTES = [
    Route("GET", "/v1/leads/{id}", "GetLead"),
    Route("GET", "/v1/leads/search", "Search"),
    Route("ANY", "/v1/leads/search", "AnySearch"),
    Route("POST", "/v1/leads", "Create"),
    Route("GET", "/v1/{kind}/{id}", "GetAny"),
    Route("ANY", "/v1/{proxy+}", "Rest"),
]


def gateway(answer: object = None, routes: list[Route] = ROUTES, timer: Iterator[float] | None = None) -> Gateway:
    def invoke(function: str, event: dict) -> object:
        if isinstance(answer, Exception):
            raise answer
        return {"function": function, "event": event} if answer is None else answer

    return Gateway(routes, invoke, Clock(), (lambda: next(timer)) if timer else lambda: 0.0)


def event_of(method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b"") -> dict:
    answer: dict = gateway().handle(Request(method, target, headers or {}, body)).json()
    return answer


def test_an_event_has_every_field_of_payload_2_0() -> None:
    headers = {
        "host": "api.example.com",
        "user-agent": "curl/8",
        "content-type": "application/json",
        "cookie": "a=1; b=2",
    }
    found = event_of("POST", "/v1/leads?tag=a&tag=b&q=x%20y&empty=", headers, b'{"name":"\xc3\x84"}')
    event = found["event"]
    request_id = event["requestContext"].pop("requestId")
    trace = event["headers"].pop("x-amzn-trace-id")
    assert found["function"] == "Create"
    assert len(request_id) == 36
    assert trace.startswith("Root=1-")
    assert event == {
        "version": "2.0",
        "routeKey": "POST /v1/leads",
        "rawPath": "/v1/leads",
        "rawQueryString": "tag=a&tag=b&q=x%20y&empty=",
        "cookies": ["a=1", "b=2"],
        "headers": {
            "content-length": "13",
            "content-type": "application/json",
            "host": "api.example.com",
            "user-agent": "curl/8",
            "x-forwarded-for": "127.0.0.1",
            "x-forwarded-port": "80",
            "x-forwarded-proto": "http",
        },
        "queryStringParameters": {"tag": "a,b", "q": "x y", "empty": ""},
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": "api.example.com",
            "domainPrefix": "api",
            "http": {
                "method": "POST",
                "path": "/v1/leads",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "curl/8",
            },
            "routeKey": "POST /v1/leads",
            "stage": "$default",
            "time": "28/May/2026:20:26:40 +0000",
            "timeEpoch": 1780000000000,
        },
        "body": '{"name":"Ä"}',
        "isBase64Encoded": False,
    }


def test_an_event_without_query_cookies_body_or_parameters_lacks_those_fields() -> None:
    event = event_of("POST", "/v1/leads")["event"]
    assert not {"queryStringParameters", "cookies", "body", "pathParameters"} & set(event)


def test_path_parameters_and_the_raw_path_are_decoded() -> None:
    event = event_of("GET", "/v1/leads/%2B1%20415")["event"]
    assert event["pathParameters"] == {"id": "+1 415"}
    assert event["rawPath"] == "/v1/leads/+1 415"


@pytest.mark.parametrize(
    ("media_type", "text"),
    [
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ("text/csv", True),
        ("application/xml", True),
        ("application/x-www-form-urlencoded", False),
        ("application/octet-stream", False),
        ("multipart/form-data; boundary=x", False),
        ("", False),
    ],
)
def test_a_body_is_base64_unless_its_type_is_text(media_type: str, *, text: bool) -> None:
    event = event_of("POST", "/v1/leads", {"content-type": media_type} if media_type else {}, b"a=1")["event"]
    assert event["isBase64Encoded"] is not text
    assert event["body"] == ("a=1" if text else base64.b64encode(b"a=1").decode())


def test_text_that_is_not_utf_8_is_base64() -> None:
    event = event_of("POST", "/v1/leads", {"content-type": "application/json"}, b"\xff")["event"]
    assert (event["body"], event["isBase64Encoded"]) == ("/w==", True)


@pytest.mark.parametrize(
    ("method", "path", "function"),
    [
        ("GET", "/v1/leads/search", "Search"),
        ("DELETE", "/v1/leads/search", "AnySearch"),
        ("GET", "/v1/leads/7", "GetLead"),
        ("GET", "/v1/lists/7", "GetAny"),
        ("PUT", "/v1/leads/7", "Rest"),
        ("GET", "/v1/a/b/c", "Rest"),
        ("POST", "/v1/leads", "Create"),
    ],
)
def test_the_most_specific_route_is_taken(method: str, path: str, function: str) -> None:
    assert event_of(method, path)["function"] == function


def test_a_greedy_parameter_takes_the_rest_of_the_path() -> None:
    assert event_of("PUT", "/v1/a/b%20c")["event"]["pathParameters"] == {"proxy": "a/b c"}


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/v1"), ("GET", "/v2/leads/7"), ("GET", "/v1/")])
def test_what_no_route_takes_is_not_found(method: str, path: str) -> None:
    response = gateway().handle(Request(method, path))
    assert (response.status, response.json()) == (404, {"message": "Not Found"})


def test_the_default_route_takes_what_no_other_does() -> None:
    routes = [*ROUTES, Route("ANY", "$default", "Default")]
    response = gateway(routes=routes).handle(Request("GET", "/nowhere"))
    assert response.json()["function"] == "Default"
    assert response.json()["event"]["routeKey"] == "$default"


def test_a_full_answer_becomes_the_response() -> None:
    answer = {"statusCode": 201, "headers": {"X-Count": 3, "X-On": True}, "cookies": ["a=1"], "body": "é"}
    response = gateway(answer).handle(Request("POST", "/v1/leads"))
    headers = {"x-count": "3", "x-on": "true", "content-type": "text/plain;charset=utf-8"}
    assert response == Response(201, headers, "é".encode(), ("a=1",))


def test_a_base64_answer_is_decoded() -> None:
    answer = {"statusCode": 200, "body": "/w==", "isBase64Encoded": True}
    assert gateway(answer).handle(Request("POST", "/v1/leads")).body == b"\xff"


@pytest.mark.parametrize(("answer", "body"), [({"a": 1}, '{"a": 1}'), ("hello", "hello"), ([1], "[1]")])
def test_an_answer_without_a_status_is_the_body_of_a_200(answer: object, body: str) -> None:
    response = gateway(answer).handle(Request("POST", "/v1/leads"))
    assert (response.status, response.headers["content-type"], response.text) == (200, "application/json", body)


@pytest.mark.parametrize(
    "answer",
    [
        FunctionFailed("ValueError", "no", "id", []),
        {"statusCode": "ok"},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "headers": ["x"]},
        {"statusCode": 200, "headers": {"x": None}},
        {"answer": object()},
        {"statusCode": 200, "body": "x" * (LARGEST_ANSWER + 1)},
    ],
)
def test_a_crash_or_a_malformed_answer_is_a_500(answer: object) -> None:
    response = gateway(answer).handle(Request("POST", "/v1/leads"))
    assert (response.status, response.json()) == (500, {"message": "Internal Server Error"})


def test_a_request_over_10_mb_is_refused() -> None:
    response = gateway().handle(Request("POST", "/v1/leads", {}, b"x" * (LARGEST_REQUEST + 1)))
    assert (response.status, response.json()) == (413, {"message": "Request Entity Too Large"})


def test_an_integration_over_30_seconds_is_a_503() -> None:
    response = gateway({"a": 1}, timer=iter([0.0, 30.1])).handle(Request("POST", "/v1/leads"))
    assert (response.status, response.json()) == (503, {"message": "Service Unavailable"})


def test_a_world_answers_through_the_gateway(world: World) -> None:
    response = world.http("GET", "/things/7?x=1", {"X-Test": "Yes"})
    event = json.loads(response.body)
    assert event["routeKey"] == "GET /things/{id}"
    assert event["headers"]["x-test"] == "Yes"


def test_a_function_that_raises_is_a_500(world: World) -> None:
    response = world.http("POST", "/things", body={"raise": "boom"})
    assert (response.status, response.text) == (500, '{"message": "Internal Server Error"}')
