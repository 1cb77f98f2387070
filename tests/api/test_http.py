"""The JSON routes over HTTP: problems, caching, compression, origins, probes, logs, and a loop that is never blocked."""

import gzip
import json
import logging
import re
import threading
import time
from typing import Any
from urllib.parse import urljoin

import duckdb
import pytest

from tests.api.conftest import World
from tests.api.serving import fetch
from twin.api.answer_cache import AnswerCache, Encoded
from twin.api.endpoints import BASE, ENDPOINTS
from twin.api.openapi import document
from twin.foundation.errors import SourceError
from twin.foundation.settings import Settings
from twin.server import threads
from twin.server.process import process

SF = BASE + "/locations/sanfrancisco"
DAY = "start=2025-10-17T00:00:00Z&end=2025-10-18T00:00:00Z"


def problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    result = json.loads(answer.body)
    assert result["status"] == status
    assert result["instance"] == f"urn:request:{answer.headers['x-request-id']}"
    return result


def some_order(world: World) -> str:
    return world.events("sanfrancisco")[100][2]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_every_endpoint_answers_its_own_model(
    server: str, demo_world: World, endpoint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = endpoint.path.format(location="sanfrancisco", order_id=some_order(demo_world))
    answer = fetch(server + BASE + path)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    endpoint.model.model_validate_json(answer.body)
    kept = {None: "no-store"}.get(endpoint.max_age, f"private, max-age={endpoint.max_age}")
    assert answer.headers["cache-control"] == ("no-store" if endpoint.max_age is None else "private, no-cache")
    monkeypatch.setattr(demo_world.twin.source, "as_of", None)  # files that nobody looks at again
    answer = fetch(server + BASE + path)
    assert answer.headers["cache-control"] == kept
    head = fetch(server + BASE + path, method="HEAD")
    assert (head.status, head.body) == (200, b"")


def test_an_answer_that_is_known_is_not_sent_again(server: str) -> None:
    first = fetch(f"{server}{SF}/time-range?{DAY}")
    again = fetch(f"{server}{SF}/time-range?{DAY}", {"If-None-Match": first.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    other = fetch(f"{server}{SF}/time-range?granularity=day&{DAY}", {"If-None-Match": first.headers["etag"]})
    assert other.status == 200


def test_answers_are_compressed_for_those_who_read_that(server: str) -> None:
    plain = fetch(f"{server}{SF}/time-range?{DAY}")
    packed = fetch(f"{server}{SF}/time-range?{DAY}", {"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert "Accept-Encoding" in packed.headers["vary"]


def test_a_kept_answer_asks_the_source_nothing_and_events_are_never_kept(
    server: str, demo_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries: list[str] = []
    query_source = demo_world.twin.source.query
    monkeypatch.setattr(
        demo_world.twin.source, "query", lambda query, **more: queries.append(query) or query_source(query, **more)
    )
    for _ in range(3):
        fetch(f"{server}{SF}/brands?{DAY}")
        fetch(f"{server}{SF}/events?limit=1")
    assert queries.count("brands") == 1
    assert queries.count("event_page") >= 3


@pytest.mark.slow
def test_kept_answers_grow_old_and_are_bounded() -> None:
    import asyncio

    now = [0.0]
    made: list[int] = []
    store = AnswerCache(clock=lambda: now[0])

    async def make() -> Encoded:
        made.append(1)
        return Encoded.of(b"x" * (20 << 20))

    async def run() -> None:
        await asyncio.gather(*(store.get("a", 300, make) for _ in range(5)))
        assert len(made) == 1, "equal questions wait for one answer"
        now[0] = 299
        await store.get("a", 300, make)
        assert len(made) == 1
        now[0] = 301
        await store.get("a", 300, make)
        assert len(made) == 2
        for name in "bcd":
            await store.get(name, 300, make)
        await store.get("a", 300, make)
        assert len(made) == 6, "the longest unused one had to go"

    asyncio.run(run())


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("/time-range?start=2025-10-17", "start"),
        ("/time-range?start=2025-10-17T00:00:00", "start"),
        ("/time-range?start=2025-13-17T00:00:00Z", "start"),
        ("/time-range?start=1066-10-14T00:00:00Z", "start"),
        ("/time-range?granularity=minute", "granularity"),
        ("/time-range?start=2025-10-18T00:00:00Z&end=2025-10-17T00:00:00Z", "start, end"),
        ("/brands?start=2025-10-17T00:00:00Z&start=2025-10-17T00:00:00Z", "start"),
        ("/brands?colour=red", "colour"),
        ("/events?limit=0", "limit"),
        ("/events?limit=many", "limit"),
        ("/events?cursor=eleven", "cursor"),
        ("/kitchen-status?at_time=now", "at_time"),
    ],
)
def test_a_wrong_parameter_is_named_with_what_is_allowed(server: str, address: str, field: str) -> None:
    result = problem(fetch(server + SF + address), 422)
    assert [error["field"] for error in result["errors"]] == [field]
    assert len(result["errors"][0]["message"]) > 5
    assert field.split(",")[0] in result["detail"]


def test_what_is_no_text_is_a_bad_request(server: str) -> None:
    assert problem(fetch(server + SF + "/events?order_id=%ff"), 400)["errors"][0]["field"] == "order_id"
    problem(fetch(server + BASE + "/orders/%ff"), 400)


def test_a_time_with_an_offset_is_the_same_as_in_utc_also_with_a_bare_plus(server: str) -> None:
    utc = fetch(f"{server}{SF}/kitchen-status?at_time=2025-10-17T18:50:00Z").body
    for offset in ("2025-10-17T20:50:00%2B02:00", "2025-10-17T20:50:00+02:00", "2025-10-17T12:50:00-06:00"):
        assert fetch(f"{server}{SF}/kitchen-status?at_time={offset}").body == utc


def test_unknown_names_are_not_found_and_near_ones_are_told(server: str, demo_world: World) -> None:
    assert problem(fetch(server + BASE + "/locations/SanFran/brands"), 404)["near"] == ["sanfrancisco"]
    order = some_order(demo_world)
    assert problem(fetch(f"{server}{BASE}/orders/{order[:12]}"), 404)["near"] == [order]
    problem(fetch(server + BASE + "/orders/" + "x" * 300), 404)
    problem(fetch(server + BASE + "/nothing"), 404)


def test_other_methods_are_refused_with_those_there_are(server: str) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = fetch(server + BASE + "/locations", method=method, data=b"{}")
        problem(answer, 405)
        assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


def test_a_source_that_is_down_is_unavailable_and_the_process_still_alive(
    server: str, demo_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: Any, **__: Any) -> None:
        raise SourceError("/srv/secret/events: the warehouse does not answer.")

    monkeypatch.setattr(demo_world.twin.source, "query", down)
    answer = fetch(f"{server}{SF}/brands?{DAY}")
    assert "does not answer" in problem(answer, 503)["detail"]
    assert int(answer.headers["retry-after"]) > 0
    ready = fetch(server + "/readyz")
    assert (ready.status, json.loads(ready.body)["status"]) == (503, "failing")
    assert b"secret" not in ready.body, "anybody may ask"
    assert fetch(server + "/healthz").status == 200
    monkeypatch.undo()
    assert fetch(f"{server}{SF}/brands?{DAY}").status == 200, "failures are not kept"


def test_a_query_that_fails_inside_the_engine_is_the_sources_failure(
    server: str, demo_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twin.sources import queries

    monkeypatch.setattr(queries, "for_duckdb", lambda name: "SELECT 1 FROM nowhere")
    with pytest.raises(SourceError, match="cannot be asked"):
        demo_world.twin.source.query("ready")
    assert issubclass(duckdb.CatalogException, duckdb.Error)


def test_what_nobody_foresaw_keeps_its_details_in_the_log(
    server: str, demo_world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(demo_world.twin.source, "query", broken)
    answer = fetch(f"{server}{SF}/brands?{DAY}")
    assert "hunter2" not in json.dumps(problem(answer, 500))
    assert any(answer.headers["x-request-id"] in record.getMessage() for record in caplog.records if record.exc_info)


def test_ready_tells_the_sources_latency(server: str) -> None:
    ready = json.loads(fetch(server + "/readyz").body)
    assert ready["status"] == "ready"
    assert ready["latency_ms"] > 0


def test_the_probe_answers_while_a_long_query_runs(
    server: str, demo_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, go_on = threading.Event(), threading.Event()
    query_source = demo_world.twin.source.query

    def slow(query: str, **more: Any) -> Any:
        running.set()
        assert go_on.wait(20)
        return query_source(query, **more)

    monkeypatch.setattr(demo_world.twin.source, "query", slow)
    statuses: list[int] = []
    address = f"{server}{SF}/time-range?start=2025-08-01T00:00:00Z&end=2025-11-01T00:00:00Z"
    waiting = threading.Thread(target=lambda: statuses.append(fetch(address).status))
    waiting.start()
    assert running.wait(20)
    assert fetch(server + "/healthz").status == 200
    assert not statuses
    go_on.set()
    waiting.join()
    assert statuses == [200]


def test_a_request_is_one_line_of_json_under_the_callers_id(server: str, caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("twin.requests")
    fetch(server + BASE + "/locations")  # the first one makes the logger
    logger.addHandler(caplog.handler)
    try:
        answer = fetch(f"{server}{SF}/brands?start=x", {"X-Request-ID": "trace-17"})
        evil = fetch(server + BASE + "/locations", {"X-Request-ID": "a b\tc"})
        for _ in range(100):
            lines = [record.getMessage() for record in caplog.records if record.name == "twin.requests"]
            if len(lines) >= 2:
                break
            time.sleep(0.02)
    finally:
        logger.removeHandler(caplog.handler)
    assert answer.headers["x-request-id"] == "trace-17"
    assert re.fullmatch("[0-9a-f]{32}", evil.headers["x-request-id"])
    line = next(json.loads(line) for line in lines if "trace-17" in line)
    assert (line["route"], line["status"], line["method"]) == ("brands", 422, "GET")
    assert line["ms"] >= 0


def test_counters_tell_requests_queries_sessions_and_rejects(server: str, demo_world: World) -> None:
    fetch(f"{server}{SF}/brands?{DAY}")
    text = fetch(server + "/metrics").body.decode()
    for name in ("twin_requests_total", "twin_queries_total", "twin_sessions", "twin_ticks_total", "twin_streams"):
        assert re.search(rf"^{name}[ {{]", text, re.MULTILINE), name
    for reason, rows in demo_world.twin.quality().rejected.items():
        assert f'twin_rejected_rows{{reason="{reason}"}} {rows}.0' in text


def test_other_sites_may_read_only_where_a_setting_names_them(server: str) -> None:
    ours = {"Origin": "https://kitchen.example"}
    closed = fetch(server + BASE + "/locations", ours)
    assert not any(name.startswith("access-control") for name in closed.headers)
    process.configure(
        Settings.from_environment({"TWIN_CORS_ORIGINS": "https://kitchen.example, https://other.example/"})
    )
    opened = fetch(server + BASE + "/locations", ours)
    assert opened.headers["access-control-allow-origin"] == "https://kitchen.example"
    preflight = fetch(server + BASE + "/locations", ours, method="OPTIONS")
    assert (preflight.status, preflight.headers["access-control-allow-methods"]) == (204, "GET, HEAD, OPTIONS")
    stranger = fetch(server + BASE + "/locations", {"Origin": "https://kitchen.example.evil"})
    assert "access-control-allow-origin" not in stranger.headers


def test_the_document_tells_every_route_and_the_page_needs_nothing_from_elsewhere(server: str) -> None:
    result = json.loads(fetch(server + BASE + "/openapi.json").body)
    assert result == {**document(), "servers": [{"url": server}]}
    assert result["openapi"].startswith("3.1")
    for endpoint in ENDPOINTS:
        assert BASE + endpoint.path in result["paths"]
    assert BASE + "/locations/{location}/replay" in result["paths"]
    page = fetch(server + BASE + "/docs")
    assert page.headers["content-type"].startswith("text/html")
    text = page.body.decode()
    for path in result["paths"]:
        assert path in text
    icon = '<link rel="icon" href="../../favicon.ico">'
    assert text.count(icon) == 1
    assert fetch(urljoin(f"{server}{BASE}/docs", "../../favicon.ico")).headers["content-type"] == "image/x-icon"
    assert not re.search(r"<(script|link|img|iframe)|@import|url\(", text.replace(icon, ""))
    assert len(re.findall(f"curl (?:-N )?&#x27;{re.escape(server)}/api/v1/", text)) == sum(
        map(len, result["paths"].values())
    )


@pytest.mark.parametrize(
    ("headers", "base"),
    [
        ({"X-Forwarded-Proto": "https", "Host": "10.0.0.5"}, "https://10.0.0.5/under"),
        ({"X-Forwarded-Prefix": "/kitchens/", "Host": "localhost:8"}, "http://localhost:8/kitchens/under"),
        (
            {"X-Forwarded-Proto": "javascript", "X-Forwarded-Prefix": "/'><script>", "Host": "localhost"},
            "http://localhost/under",
        ),
    ],
)
def test_addresses_to_copy_are_those_that_the_client_has(server: str, headers: dict[str, str], base: str) -> None:
    assert json.loads(fetch(server + BASE + "/openapi.json", headers).body)["servers"] == [{"url": base}]
    text = fetch(server + BASE + "/docs", headers).body.decode()
    assert f"&#x27;{base}/api/v1/locations&#x27;" in text
    assert "<script" not in text


def test_another_source_has_answers_of_its_own(server: str, tmp_path: Any) -> None:
    import twin
    from tests.sources.test_files import ROWS, write_csv

    first = fetch(server + BASE + "/locations").body
    other = twin.open(write_csv(tmp_path / "events.csv", ROWS))
    process.use(other)
    assert fetch(server + BASE + "/locations").body != first


@pytest.mark.slow
def test_probes_and_answers_do_not_wait_for_moments_and_who_is_too_many_is_told_so(
    server: str, demo_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """150 questions for moments at once: they need seconds each, and used to take every thread."""
    reached, go_on = threading.Event(), threading.Event()
    insights = demo_world.twin.insights

    def held(timeline: Any) -> Any:
        reached.set()
        assert go_on.wait(60)
        return insights(timeline)

    monkeypatch.setattr(demo_world.twin, "insights", held)
    answers: list[Any] = []

    def ask(number: int) -> None:
        window = f"start=2025-10-17T00:00:00.{number:06d}Z&end=2025-10-18T00:00:00Z"
        answers.append(fetch(f"{server}{SF}/moments?{window}"))

    asking = [threading.Thread(target=ask, args=(number,)) for number in range(150)]
    try:
        for one in asking:
            one.start()
        assert reached.wait(20)
        deadline = time.monotonic() + 20
        while len(answers) < 150 - 20:
            assert time.monotonic() < deadline, "those beyond the limit are answered at once"
            time.sleep(0.05)
        assert fetch(server + "/readyz").status == 200
        assert fetch(f"{server}{SF}/time-range?{DAY}").status == 200
    finally:
        go_on.set()
        for one in asking:
            one.join(60)
    refused = [answer for answer in answers if answer.status != 200]
    assert 100 <= len(refused) <= 130
    for answer in refused:
        assert "busy" in problem(answer, 503)["detail"]
        assert int(answer.headers["retry-after"]) > 0


def test_an_answer_from_the_cache_needs_no_thread(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fetch(f"{server}{SF}/brands?{DAY}").status == 200
    monkeypatch.setattr(threads.answers, "_accepted", 10_000)
    assert fetch(f"{server}{SF}/brands?{DAY}").status == 200
    assert fetch(f"{server}{SF}/events?limit=1").status == 503


def test_probes_that_come_together_ask_the_source_once(
    server: str, demo_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    go_on = threading.Event()
    query = demo_world.twin.source.query

    def slow(name: str, **more: Any) -> Any:
        if name == "ready":
            asked.append(name)
            assert go_on.wait(20)
        return query(name, **more)

    monkeypatch.setattr(demo_world.twin.source, "query", slow)
    statuses: list[int] = []
    probing = [threading.Thread(target=lambda: statuses.append(fetch(server + "/readyz").status)) for _ in range(8)]
    for one in probing:
        one.start()
    while not asked:
        time.sleep(0.01)
    time.sleep(0.3)  # so that all wait
    go_on.set()
    for one in probing:
        one.join(20)
    assert statuses == [200] * 8
    assert asked == ["ready"]
