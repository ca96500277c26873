"""Document-level security of a real server as the fence, for a login that sees the open documents alone.

    python -m tests.campaigns.fence.second_fence [COUNT] [SEED]

starts a secured server, makes the attempts and prints what happened.
"""

from __future__ import annotations

import json
import sys
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from opensearchpy import OpenSearch

from opensearch_neural_sparse.devserver import DevServer, Profile
from tests.campaigns.fence.campaign import run_on
from tests.campaigns.fence.site import Site, fill
from tests.campaigns.servers import OPTIONS

PASSWORD = "Correct-Horse-9-Battery"
DLS = json.dumps({"term": {"team": "all"}})


@contextmanager
def secured_site(server: DevServer) -> Iterator[Site]:
    """Yield filled indices, half hidden from the login that searches them."""
    login, prefix = server.login, f"campaign-{uuid.uuid4().hex}"
    assert login is not None
    tls: dict[str, Any] = {"ca_certs": str(login.ca_file), "timeout": 60}
    with (
        ExitStack() as stack,
        OpenSearch(server.url, http_auth=(login.user, login.password), **tls) as admin,
        _user(admin, prefix),
    ):
        options = {"http_auth": (prefix, PASSWORD), **tls}
        site = Site(server.url, prefix, client_options=options, fenced=False, stack=stack)
        site.loop  # noqa: B018  made first, and closed last
        try:
            fill(admin, prefix, site.vector)
            yield site
        finally:
            admin.indices.delete(index=f"{prefix}-*", ignore_unavailable=True)


@contextmanager
def _user(admin: Any, name: str) -> Iterator[None]:
    role = {
        "cluster_permissions": ["cluster:monitor/main", "indices:data/read/msearch", "indices:data/read/mget"],
        "index_permissions": [
            {
                "index_patterns": [f"{name}-*"],
                "allowed_actions": ["read", "indices:admin/get", "indices:data/read/point_in_time/create"],
                "dls": DLS,
            }
        ],
    }
    bodies = {"roles": role, "internalusers": {"password": PASSWORD}, "rolesmapping": {"users": [name]}}
    for kind, body in bodies.items():
        admin.http.put(f"/_plugins/_security/api/{kind}/{name}", body=body)
    try:
        yield
    finally:
        for kind in reversed(bodies):
            admin.http.delete(f"/_plugins/_security/api/{kind}/{name}")


def main(count: int = 2000, seed: int = 0) -> int:
    """Make the attempts on a server of their own."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as home:
        options = {**OPTIONS, "version": "2.19.1", "profile": Profile.SECURITY, "home": Path(home)}
        with DevServer.running(own=True, ephemeral=True, **options) as server, secured_site(server) as site:
            tally = run_on(site, seed, count)
    counts = {str(outcome): number for outcome, number in tally.counts.items()}
    print(json.dumps({"seed": seed, **counts, **tally.notes, "faults": tally.faults}))  # noqa: T201
    return int(bool(tally.faults))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
