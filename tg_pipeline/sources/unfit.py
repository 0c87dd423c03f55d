"""Why one record of a readable source cannot become a message."""


class Unfit(Exception):
    """A record is set aside: `reason` is a stable code, `detail` is for people."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
