"""An OpenTelemetry collector on loopback: takes OTLP over HTTP as the protocol says, decodes it, keeps the spans."""

import contextlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from tests.fakes import canary

Value = str | int | float | bool | list[str]


@dataclass(frozen=True)
class Seen:
    """A span as it came. Ids in hex; times in ns since the epoch."""

    name: str
    trace: str
    id: str
    parent: str
    kind: int
    failed: bool
    began: int
    ended: int
    attributes: dict[str, Value]


@dataclass
class Collector:
    """url: what OTEL_EXPORTER_OTLP_ENDPOINT is set to; raw: all bodies, for what must not be in them."""

    url: str = ""
    spans: list[Seen] = field(default_factory=list)
    raw: bytes = b""
    services: set[str] = field(default_factory=set)

    def take(self, body: bytes) -> None:
        self.raw += body
        canary.search(body, "an exported span")
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            named = {a.key: _value(a.value) for a in resource.resource.attributes}
            self.services.add(str(named["service.name"]))
            for scope in resource.scope_spans:
                for s in scope.spans:
                    self.spans.append(
                        Seen(
                            s.name, s.trace_id.hex(), s.span_id.hex(), s.parent_span_id.hex(), s.kind, s.status.code == 2,
                            s.start_time_unix_nano, s.end_time_unix_nano, {a.key: _value(a.value) for a in s.attributes},
                        )
                    )  # fmt: skip

    def children(self, parent: Seen) -> list[Seen]:
        """In the order of their beginning."""
        return sorted((s for s in self.spans if s.parent == parent.id), key=lambda s: s.began)


def _value(value: AnyValue) -> Value:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [v.string_value for v in value.array_value.values]
    found: Value = getattr(value, str(kind))
    return found


@contextlib.contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that listens."""
    collector = Collector()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            good = (self.path, self.headers["content-type"]) == ("/v1/traces", "application/x-protobuf")
            if good:
                collector.take(body)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200 if good else 400)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        collector.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()
