"""The landing zone: immutable batches of what sources yielded, and their manifests."""

from tg_pipeline.landing.spool import Covered, Spool
from tg_pipeline.landing.write import BATCH_MESSAGES, Shipment, land
from tg_pipeline.landing.zone import LandingZone

__all__ = ["BATCH_MESSAGES", "Covered", "LandingZone", "Shipment", "Spool", "land"]
