"""A server that answers each request with the same bytes, slowly.

```python
with SlowServer(answer(b'{"ok": true}'), seconds_a_byte=0.1) as server:
    urllib3.request("GET", server.url)
```
"""

from __future__ import annotations

import socket
import ssl
import subprocess
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Self


def answer(body: bytes, *, headers: bytes = b"", status: bytes = b"200 OK") -> bytes:
    """Return an HTTP answer of JSON."""
    length = b"Content-Length: %d\r\n" % len(body)
    return b"HTTP/1.1 %s\r\nContent-Type: application/json\r\n%s%s\r\n%s" % (status, headers, length, body)


def make_certificate(folder: Path, host: str = "localhost") -> tuple[Path, Path]:
    """Write a certificate that signed itself, and return it and its key."""
    certificate, key = folder / f"{host}.pem", folder / f"{host}.key"
    names = ["-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}"]
    call = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", str(key)]
    subprocess.run([*call, "-out", str(certificate), *names], check=True, capture_output=True)
    return certificate, key


class SlowServer:
    """Answers requests without a body, on a free port of localhost.

    Args:
        answer: The bytes of each answer.
        at_once: How many of them are sent at once; a byte at a time comes after these.
        seconds_a_byte: The pause before each further byte.
        certificate: A certificate and its key; the server then speaks TLS.

    Attributes:
        requests: How many it was sent.
    """

    def __init__(
        self,
        answer: bytes,
        *,
        at_once: int = 0,
        seconds_a_byte: float = 0.0,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        self.answer, self.at_once, self.seconds_a_byte, self.requests = answer, at_once, seconds_a_byte, 0
        self._ended, self._context = Event(), None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*certificate)
        self._socket = socket.create_server(("127.0.0.1", 0))
        scheme = "http" if certificate is None else "https"
        self.url = f"{scheme}://localhost:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):  # the server is closed
            while True:
                Thread(target=self._serve, args=(self._socket.accept()[0],), daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        with suppress(OSError), self._opened(caller) as caller:  # an error where the caller hung up
            while b"\r\n\r\n" in self._received(caller):
                self.requests += 1
                caller.sendall(self.answer[: self.at_once])
                for place in range(self.at_once, len(self.answer)):
                    if self._ended.wait(self.seconds_a_byte):
                        return
                    caller.sendall(self.answer[place : place + 1])

    def _opened(self, caller: socket.socket) -> socket.socket:
        return caller if self._context is None else self._context.wrap_socket(caller, server_side=True)

    @staticmethod
    def _received(caller: socket.socket) -> bytes:
        received = b""
        while b"\r\n\r\n" not in received and (part := caller.recv(65536)):
            received += part
        return received
