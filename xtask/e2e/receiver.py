"""An OTLP receiver that is not ours: grpcio and http.server over the official protobuf definitions.

It takes traces and logs over OTLP/gRPC and OTLP/HTTP on loopback, in plain text or with TLS (mutual on request). It prints its
ports, which the system chooses, and its certificate files as one line of JSON. It answers each line on standard input with a
line of JSON: an empty line with the counts of what arrived since the last one, the line `items` with the decoded items
themselves if it runs with `--keep`.
"""

import argparse
import gzip
import json
import pathlib
import ssl
import sys
import threading
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import trustme
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


class Signal:
    """A signal: its messages, and what arrived of it over all protocols."""

    def __init__(self, request, response, resources, scopes, items):
        self.request, self.response = request, response
        self.resources, self.scopes, self.items = resources, scopes, items
        self.rejected_items = f"rejected_{items}"
        self.lock = threading.Lock()
        self.kept = []
        self.forget()

    def forget(self):
        self.requests = 0
        self.count = 0
        self.compressed = 0
        self.rejected = 0
        self.numbers = {}
        self.services = set()
        self.user_agents = set()

    def take(self, request, compressed, user_agent):
        """Counts the items of a request, and returns the response."""
        rejected = 0
        with self.lock:
            self.requests += 1
            self.compressed += compressed
            self.user_agents.add(user_agent)
            for resource in getattr(request, self.resources):
                for attribute in resource.resource.attributes:
                    if attribute.key == "service.name":
                        self.services.add(attribute.value.string_value)
                for scope in getattr(resource, self.scopes):
                    for item in getattr(scope, self.items):
                        rejected += not self.take_item(item)
                        if OPTIONS.keep:
                            self.kept.append(described(scope.scope, item))
            self.rejected += rejected
        response = self.response()
        if rejected:
            setattr(response.partial_success, self.rejected_items, rejected)
            response.partial_success.error_message = f"the numbers divisible by {OPTIONS.reject_every}"
        return response

    def take_item(self, item):
        """Counts an item. Returns False if it is rejected."""
        number = None
        for attribute in item.attributes:
            if attribute.key == "number":
                number = attribute.value.int_value
        if OPTIONS.reject_every and number is not None and number % OPTIONS.reject_every == 0:
            return False
        self.count += 1
        if number is not None:
            self.numbers[number] = self.numbers.get(number, 0) + 1
        return True

    def take_summary(self):
        with self.lock:
            summary = {
                "requests": self.requests,
                "items": self.count,
                "rejected": self.rejected,
                "compressed": self.compressed,
                "distinct": len(self.numbers),
                "highest": max(self.numbers, default=0),
                "repeated": sum(1 for count in self.numbers.values() if count > 1),
                "services": sorted(self.services),
                "user_agents": sorted(self.user_agents),
            }
            self.forget()
            return summary

    def take_kept(self):
        with self.lock:
            kept, self.kept = self.kept, []
            return kept


def described(scope, item):
    """Returns an item as JSON: its fields as OTLP's JSON encoding names them, with ids in hexadecimal and the attributes as a map."""
    fields = MessageToDict(item)
    for name in ("trace_id", "span_id", "parent_span_id"):
        camel = name.title().replace("_", "")
        fields.pop(camel[0].lower() + camel[1:], None)
        if getattr(item, name, b""):
            fields[name] = getattr(item, name).hex()
    fields["attributes"] = {attribute.key: described_value(attribute.value) for attribute in item.attributes}
    if "body" in fields:
        fields["body"] = described_value(item.body)
    return {"scope": scope.name, **fields}


def described_value(value):
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [described_value(one) for one in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: described_value(pair.value) for pair in value.kvlist_value.values}
    if kind == "bytes_value":
        return f"0x{value.bytes_value.hex()}"
    return getattr(value, kind)


SIGNALS = {
    "traces": Signal(
        trace_service_pb2.ExportTraceServiceRequest,
        trace_service_pb2.ExportTraceServiceResponse,
        "resource_spans",
        "scope_spans",
        "spans",
    ),
    "logs": Signal(
        logs_service_pb2.ExportLogsServiceRequest,
        logs_service_pb2.ExportLogsServiceResponse,
        "resource_logs",
        "scope_logs",
        "log_records",
    ),
}


def export(signal, request, context):
    metadata = dict(context.invocation_metadata())
    # grpcio decompresses by itself and hides the encoding: compression is checked over HTTP.
    return SIGNALS[signal].take(request, 0, metadata.get("user-agent", ""))


class TraceService(trace_service_pb2_grpc.TraceServiceServicer):
    def Export(self, request, context):
        return export("traces", request, context)


class LogsService(logs_service_pb2_grpc.LogsServiceServicer):
    def Export(self, request, context):
        return export("logs", request, context)


class OtlpHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        compressed = self.headers.get("content-encoding") == "gzip"
        if compressed:
            body = gzip.decompress(body)
        signal = SIGNALS.get(self.path.removeprefix("/v1/"))
        if signal is None:
            return self.answer(404, b"")
        if self.headers.get("content-type") != "application/x-protobuf":
            return self.answer(415, b"")
        request = signal.request.FromString(body)
        response = signal.take(request, int(compressed), self.headers.get("user-agent", ""))
        return self.answer(200, response.SerializeToString())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve_http(handler, tls=None):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tls", choices=["none", "tls", "mtls"], default="none")
    parser.add_argument("--certificates", type=pathlib.Path, help="where certificates are written")
    parser.add_argument("--keep", action="store_true", help="keep the decoded items")
    parser.add_argument(
        "--reject-every",
        type=int,
        default=0,
        metavar="N",
        help="reject the items with a number divisible by N, as a partial success",
    )
    return parser.parse_args()


OPTIONS = options()


def main():
    files, http_tls, credentials = {}, None, None
    if OPTIONS.tls != "none":
        authority = trustme.CA()
        server = authority.issue_cert("localhost", "127.0.0.1")
        client = authority.issue_cert("client@zerospan.example")
        OPTIONS.certificates.mkdir(parents=True, exist_ok=True)
        files = {
            name: str(OPTIONS.certificates / f"{name}.pem")
            for name in ["authority", "client", "client_key"]
        }
        authority.cert_pem.write_to_path(files["authority"])
        client.cert_chain_pems[0].write_to_path(files["client"])
        client.private_key_pem.write_to_path(files["client_key"])

        mutual = OPTIONS.tls == "mtls"
        http_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.configure_cert(http_tls)
        if mutual:
            authority.configure_trust(http_tls)
            http_tls.verify_mode = ssl.CERT_REQUIRED
        credentials = grpc.ssl_server_credentials(
            [(server.private_key_pem.bytes(), server.cert_chain_pems[0].bytes())],
            root_certificates=authority.cert_pem.bytes() if mutual else None,
            require_client_auth=mutual,
        )

    grpc_server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(TraceService(), grpc_server)
    logs_service_pb2_grpc.add_LogsServiceServicer_to_server(LogsService(), grpc_server)
    if credentials is None:
        grpc_port = grpc_server.add_insecure_port("127.0.0.1:0")
    else:
        grpc_port = grpc_server.add_secure_port("127.0.0.1:0", credentials)
    grpc_server.start()

    ports = {
        "grpc": grpc_port,
        "http": serve_http(OtlpHandler, http_tls),
    }
    print(json.dumps({"ports": ports, "files": files}), flush=True)
    # The end of the input ends the receiver.
    for question in sys.stdin:
        if question.strip() == "items":
            answer = {name: signal.take_kept() for name, signal in SIGNALS.items()}
        else:
            answer = {name: signal.take_summary() for name, signal in SIGNALS.items()}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
