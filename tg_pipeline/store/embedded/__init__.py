"""A PostgreSQL of our own: started on demand, shared by all processes, never left behind.

The one idea: every claim is a kernel lock. Users hold `users.lock` shared for their life, a
watchdog that is the server's parent stops it when nobody holds that lock any more, and
`server.lock` is inherited by every process of the server. A killed process gives its locks back,
so there is no state that can lie.
"""

from tg_pipeline.store.embedded.holder import hold, release_hold
from tg_pipeline.store.embedded.server import EmbeddedServer, ServerStatus, acquire, server_status

__all__ = [
    "EmbeddedServer",
    "ServerStatus",
    "acquire",
    "hold",
    "release_hold",
    "server_status",
]
