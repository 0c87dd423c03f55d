"""Telegram itself, as an account sees it."""
