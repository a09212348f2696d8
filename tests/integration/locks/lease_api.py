"""A small Kubernetes API server: Leases only, with the rules that locks rely on.

Run as `lease_api.py PORT SECONDS [CERTIFICATE]`: its clock is that many seconds ahead of this
host's; with a certificate, and its key in the same file, it speaks TLS.
"""

import json
import re
import ssl
import sys
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATH = re.compile(r"/apis/coordination\.k8s\.io/v1/namespaces/([^/]+)/leases(?:/([^/]+))?")
DNS_1123 = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)")
FIELDS = {"holderIdentity", "leaseDurationSeconds", "acquireTime", "renewTime", "leaseTransitions"}

leases: dict[tuple[str, str], dict[str, Any]] = {}
guard = threading.Lock()


class Refusal(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class LeaseApi(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    ahead = 0.0
    version = 0

    def do_GET(self) -> None:
        self.answer(200)

    def do_POST(self) -> None:
        self.answer(201)

    def do_PUT(self) -> None:
        self.answer(200)

    def answer(self, status: int) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        sent = json.loads(body) if body else {}
        try:
            with guard:
                answer = self.lease(sent)
        except Refusal as refusal:
            status, reason = refusal.status, str(refusal)
            answer = {"kind": "Status", "status": "Failure", "reason": reason, "code": status}
        encoded = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)

    def lease(self, sent: dict[str, Any]) -> dict[str, Any]:
        found = PATH.fullmatch(self.path)
        if not found:
            raise Refusal(404, "NotFound")
        namespace, name = found.groups()
        self.permit(namespace)
        if self.command == "GET":
            return self.stored(namespace, name)
        check(sent)
        if self.command == "POST":
            return self.create(namespace, sent)
        return self.replace(namespace, name, sent)

    def permit(self, namespace: str) -> None:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if (scheme.lower(), token) != ("bearer", "let-me-in"):
            raise Refusal(401, "Unauthorized")
        if namespace == "forbidden":
            raise Refusal(403, "Forbidden")

    def stored(self, namespace: str, name: str) -> dict[str, Any]:
        if (namespace, name) not in leases:
            raise Refusal(404, "NotFound")
        return leases[namespace, name]

    def create(self, namespace: str, sent: dict[str, Any]) -> dict[str, Any]:
        name = sent["metadata"]["name"]
        if not DNS_1123.fullmatch(name):
            raise Refusal(422, "Invalid")
        if (namespace, name) in leases:
            raise Refusal(409, "AlreadyExists")
        return self.store(namespace, name, sent)

    def replace(self, namespace: str, name: str, sent: dict[str, Any]) -> dict[str, Any]:
        stored = self.stored(namespace, name)
        if not (version := sent["metadata"].get("resourceVersion")):
            raise Refusal(422, "Invalid")
        if version != stored["metadata"]["resourceVersion"]:
            raise Refusal(409, "Conflict")
        return self.store(namespace, name, sent)

    def store(self, namespace: str, name: str, sent: dict[str, Any]) -> dict[str, Any]:
        LeaseApi.version += 1
        metadata = sent["metadata"] | {"resourceVersion": str(LeaseApi.version)}
        leases[namespace, name] = sent | {"metadata": metadata}
        return leases[namespace, name]

    def date_time_string(self, timestamp: float | None = None) -> str:
        return formatdate((timestamp or time.time()) + self.ahead, usegmt=True)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def check(sent: dict[str, Any]) -> None:
    """Refuse what a real API server cannot decode, or finds invalid."""
    spec = sent["spec"]
    times = [spec[key] for key in ("acquireTime", "renewTime") if key in spec]
    if spec.keys() - FIELDS or not all(MICRO_TIME.fullmatch(time) for time in times):
        raise Refusal(400, "BadRequest")
    if spec["leaseDurationSeconds"] <= 0 or spec.get("holderIdentity") == "":
        raise Refusal(422, "Invalid")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


if __name__ == "__main__":
    LeaseApi.ahead = float(sys.argv[2])
    server = Server(("127.0.0.1", int(sys.argv[1])), LeaseApi)
    for certificate in sys.argv[3:]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    server.serve_forever()
