"""Everything about a Telegram that outlives its restarts."""

from tg_pipeline_tests.telegram_server.devices import Devices
from tg_pipeline_tests.telegram_server.faults import Faults
from tg_pipeline_tests.telegram_server.handshake import ServerKey, common_key
from tg_pipeline_tests.telegram_server.recording import Requests
from tg_pipeline_tests.telegram_server.world import World

API_ID = 4242
API_HASH = "0123456789abcdef0123456789abcdef"
DC = 2


class State:
    """The world, who is logged in, what goes wrong, and what was asked.

    Attributes:
        key: By which clients know the server; all servers of a process have one by default.
        codes: The phone_code_hash of each phone that was sent a code.
        port: Where it listens, once it has.
        gzip: Whether large answers are packed.
        qr_seconds: How long a QR code is valid.
        mishaps: Bugs of the server itself; a test in which there are any fails.
        broken: What clients sent that was no MTProto.
    """

    def __init__(self, world: World, key: ServerKey | None = None) -> None:
        self.world = world
        self.key = key or common_key()
        self.devices = Devices()
        self.faults = Faults()
        self.requests = Requests()
        self.codes: dict[str, str] = {}
        self.port = 0
        self.gzip = False
        self.qr_seconds = 30.0
        self.mishaps: list[Exception] = []
        self.broken: list[Exception] = []
