"""An OTLP trace receiver that is not ours: grpcio and http.server over the official protobuf definitions.

It answers OTLP/gRPC and OTLP/HTTP on loopback, in plain text or with TLS (mutual on request). It prints its ports, which the
system chooses, and its certificate files as one line of JSON. It answers each line on standard input with a line of JSON:
what arrived since the last one.
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
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as service_grpc


class Arrivals:
    """Counts what arrived, over all protocols."""

    def __init__(self):
        self.lock = threading.Lock()
        self.forget()

    def forget(self):
        self.requests = 0
        self.spans = 0
        self.compressed = 0
        self.numbers = {}
        self.services = set()
        self.user_agents = set()

    def take(self, request, compressed, user_agent):
        with self.lock:
            self.requests += 1
            self.compressed += compressed
            self.user_agents.add(user_agent)
            for resource_spans in request.resource_spans:
                for attribute in resource_spans.resource.attributes:
                    if attribute.key == "service.name":
                        self.services.add(attribute.value.string_value)
                for scope_spans in resource_spans.scope_spans:
                    for span in scope_spans.spans:
                        self.take_span(span)

    def take_span(self, span):
        self.spans += 1
        for attribute in span.attributes:
            if attribute.key == "number":
                number = attribute.value.int_value
                self.numbers[number] = self.numbers.get(number, 0) + 1

    def take_summary(self):
        with self.lock:
            summary = {
                "requests": self.requests,
                "spans": self.spans,
                "compressed": self.compressed,
                "distinct": len(self.numbers),
                "highest": max(self.numbers, default=0),
                "repeated": sum(1 for count in self.numbers.values() if count > 1),
                "services": sorted(self.services),
                "user_agents": sorted(self.user_agents),
            }
            self.forget()
            return summary


ARRIVALS = Arrivals()


class TraceService(service_grpc.TraceServiceServicer):
    def Export(self, request, context):
        metadata = dict(context.invocation_metadata())
        # grpcio decompresses by itself and hides the encoding: compression is checked over HTTP.
        ARRIVALS.take(request, 0, metadata.get("user-agent", ""))
        return service.ExportTraceServiceResponse()


class OtlpHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        compressed = self.headers.get("content-encoding") == "gzip"
        if compressed:
            body = gzip.decompress(body)
        if self.path != "/v1/traces":
            return self.answer(404, b"")
        if self.headers.get("content-type") != "application/x-protobuf":
            return self.answer(415, b"")
        ARRIVALS.take(
            service.ExportTraceServiceRequest.FromString(body),
            int(compressed),
            self.headers.get("user-agent", ""),
        )
        return self.answer(200, service.ExportTraceServiceResponse().SerializeToString())

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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tls", choices=["none", "tls", "mtls"], default="none")
    parser.add_argument("--certificates", type=pathlib.Path, help="where certificates are written")
    arguments = parser.parse_args()

    files, http_tls, credentials = {}, None, None
    if arguments.tls != "none":
        authority = trustme.CA()
        server = authority.issue_cert("localhost", "127.0.0.1")
        client = authority.issue_cert("client@zerospan.example")
        arguments.certificates.mkdir(parents=True, exist_ok=True)
        files = {
            name: str(arguments.certificates / f"{name}.pem")
            for name in ["authority", "client", "client_key"]
        }
        authority.cert_pem.write_to_path(files["authority"])
        client.cert_chain_pems[0].write_to_path(files["client"])
        client.private_key_pem.write_to_path(files["client_key"])

        mutual = arguments.tls == "mtls"
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
    service_grpc.add_TraceServiceServicer_to_server(TraceService(), grpc_server)
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
    # Each line on standard input asks what arrived since the last one; its end ends the receiver.
    for _ in sys.stdin:
        print(json.dumps(ARRIVALS.take_summary()), flush=True)


if __name__ == "__main__":
    main()
