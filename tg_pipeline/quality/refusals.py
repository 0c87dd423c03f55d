"""What the gate keeps back, chat by chat: counted for all chats at once."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tg_pipeline.contracts import ChatKey
from tg_pipeline.quality.rules import RULE_SET
from tg_pipeline.store.windows import Grain

_FAILED = """
SELECT q.entity_id, q.account_id, array_agg(DISTINCT q.rule ORDER BY q.rule) AS rules,
       count(DISTINCT date_trunc(:grain, q.day)) AS windows
FROM quality_results q
LEFT JOIN chat_days d USING (entity_id, account_id, day)
WHERE q.outcome = 'failed' AND q.rule_set = :rule_set
  AND q.rows = coalesce(d.rows, 0) AND q.digest = coalesce(d.digest, 0)
GROUP BY q.entity_id, q.account_id
"""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Windows of a chat that may not be published, and the rules that they fail."""

    windows: int
    rules: tuple[str, ...]


def refusals(connection: Connection, grain: Grain) -> dict[ChatKey, Refusal]:
    """What is known to have failed, as the data are now; what nobody has judged is not there."""
    rows = connection.execute(sa.text(_FAILED), {"grain": grain, "rule_set": RULE_SET})
    return {
        ChatKey(row.entity_id, row.account_id): Refusal(row.windows, tuple(row.rules))
        for row in rows
    }
