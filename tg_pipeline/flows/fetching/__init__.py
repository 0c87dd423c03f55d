"""Fetching: what Telegram has of the followed chats and we have not, page by page into landing."""

from tg_pipeline.flows.fetching.fetch import FetchOptions, FetchReport, fetch_chats
from tg_pipeline.flows.fetching.work import ChatReport

__all__ = ["ChatReport", "FetchOptions", "FetchReport", "fetch_chats"]
