"""Run a local OpenSearch for tests and tutorials, assembled from package registries.

```python
from opensearch_neural_sparse.devserver import DevServer

with DevServer.running(version="3.6.0") as server:
    print(server.url)
```
"""

from opensearch_neural_sparse.devserver.distribution.lock import DEFAULT_VERSION, known_versions
from opensearch_neural_sparse.devserver.options import StartOptions
from opensearch_neural_sparse.devserver.profile import Profile
from opensearch_neural_sparse.devserver.progress import OnProgress, Progress, Step
from opensearch_neural_sparse.devserver.security.login import Login
from opensearch_neural_sparse.devserver.server import DevServer, Origin

__all__ = [
    "DEFAULT_VERSION",
    "DevServer",
    "Login",
    "OnProgress",
    "Origin",
    "Profile",
    "Progress",
    "StartOptions",
    "Step",
    "known_versions",
]
