"""Who takes part in a chat. The same person appears in many chats under the same id."""

from tg_pipeline.generator.draws import Draw
from tg_pipeline.generator.model import ChatPlan, Peer
from tg_pipeline.generator.phrases import CYRILLIC_LAST_NAMES, FIRST_NAMES, LAST_NAMES

ACCOUNT = Peer(700_000_001, "Mira Lanternkeeper")
_FIRST_ID = 700_000_100
_WIDE_ID = 5_300_000_000  # newer accounts have ids beyond 32 bits
_DELETED_EVERY = 17


def person(number: int, *, modern: bool = True) -> Peer:
    """The person with this number; every seventeenth has deleted their account."""
    wide = modern and number % 4 == 3
    marked = (_WIDE_ID if wide else _FIRST_ID) + number * 7_919
    if number % _DELETED_EVERY == 5:
        return Peer(marked, None)
    first = FIRST_NAMES[number % len(FIRST_NAMES)]
    last_names = CYRILLIC_LAST_NAMES if "А" <= first[0] <= "я" else LAST_NAMES
    last = last_names[number * 5 % len(last_names)]
    return Peer(marked, f"{first} {last}".rstrip())


class Cast:
    """The people of one chat and who of them speaks."""

    def __init__(self, plan: ChatPlan, account: Peer) -> None:
        self.plan = plan
        self.account = account
        self.chat = Peer(plan.entity_id, plan.title)
        self._people = tuple(
            person(number, modern=plan.modern) for number in range(min(plan.people, 500))
        )

    @property
    def people(self) -> tuple[Peer, ...]:
        """Everybody but the account itself."""
        if self.plan.kind == "private":
            return (self.chat,)
        return () if self.plan.kind == "saved" else self._people

    def speaker(self, draw: Draw) -> tuple[Peer, int]:
        """Somebody and their number; some write much more than others."""
        kind = self.plan.kind
        if kind == "channel":
            return self.chat, 0
        if kind == "saved":
            return self.account, 1
        if kind == "private":
            return (self.account, 1) if draw.chance(500) else (self.chat, 0)
        if kind == "supergroup" and draw.chance(15):
            return self.chat, 0  # an administrator who stays anonymous
        number = min(draw.below(len(self._people) + 1), draw.below(len(self._people) + 1))
        return (self._people[number - 1], number) if number else (self.account, 1)

    def somebody(self, draw: Draw) -> Peer:
        """Anybody but the account itself."""
        return draw.pick(self.people) if self.people else self.account
