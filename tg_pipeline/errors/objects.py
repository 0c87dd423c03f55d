"""Object stores."""

from tg_pipeline.errors.base import Fatal, Transient


class ExtraMissing(Fatal):
    """A URL names an object store whose package is not installed."""

    code = "objects.extra_missing"

    def __init__(self, url: str, extra: str) -> None:
        super().__init__(
            f"{url} needs a package that is not installed",
            remedy=f"Install it with the extra: pip install 'tg-pipeline[{extra}]'.",
        )
        self.extra = extra


class ObjectStoreDenied(Fatal):
    """The store knows no such key, or the key may not do this."""

    code = "objects.denied"

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"the object store refused access to {url}: {reason}",
            remedy="Check the credentials in the provider's environment variables or files, "
            "and that they may list, read, write and delete there.",
        )
        self.url = url


class BucketMissing(Fatal):
    """There is no such bucket or container; we never make one."""

    code = "objects.bucket_missing"

    def __init__(self, url: str) -> None:
        super().__init__(
            f"there is no bucket or container for {url}",
            remedy="Create it, or correct TG_PIPELINE_LANDING or TG_PIPELINE_EXPORTS.",
        )
        self.url = url


class ObjectStoreFull(Fatal):
    """The bucket's quota or the store's disk is used up; what was written before is kept."""

    code = "objects.full"

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"the object store has no room left for {url}: {reason}",
            remedy="Raise the quota or delete something, then run the same command again: "
            "it continues where it stopped.",
        )
        self.url = url


class ObjectStoreRefused(Fatal):
    """The store answered with an error that trying again does not change."""

    code = "objects.refused"

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"the object store refused a request for {url}: {reason}",
            remedy="Check the bucket's name, its region and the endpoint: AWS_ENDPOINT_URL "
            "begins with http:// or https://.",
        )
        self.url = url


class ObjectStoreUnreachable(Transient):
    """No object store answers at the endpoint."""

    code = "objects.unreachable"

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"no object store answers for {url}: {reason}",
            remedy="Check the network and the endpoint (AWS_ENDPOINT_URL, STORAGE_EMULATOR_HOST, "
            "AZURE_STORAGE_CONNECTION_STRING), then try again.",
        )
        self.url = url


class ObjectStoreLost(Transient):
    """The connection broke or the store failed in mid-work; every finished object is kept."""

    code = "objects.lost"

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"the object store failed at {url}: {reason}",
            remedy="Run the same command again: it continues where it stopped.",
        )
        self.url = url
