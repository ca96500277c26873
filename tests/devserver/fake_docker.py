"""Stands in for `docker` where no daemon is to be had: `run` answers as a server does, on the published port."""

import json
import os
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

CALLS, PID = Path(os.environ["FAKE_DOCKER"], "calls"), Path(os.environ["FAKE_DOCKER"], "pid")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": "green"}')


def main(command: str, *arguments: str) -> None:
    with CALLS.open("a") as calls:
        calls.write(json.dumps([command, *arguments]) + "\n")
    if command == "serve":
        HTTPServer(("127.0.0.1", int(arguments[0])), Handler).serve_forever()
    elif command == "run":
        port = arguments[arguments.index("--publish") + 1].split(":")[1]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        PID.write_text(str(subprocess.Popen([sys.executable, __file__, "serve", port], **quiet).pid))
    elif command == "inspect":
        sys.stdout.write("true" if PID.exists() else "false")
    elif command == "logs":
        sys.stdout.write("the log of the container")
    elif command == "stop":
        os.kill(int(PID.read_text()), signal.SIGKILL)
        PID.unlink()


main(*sys.argv[1:])
