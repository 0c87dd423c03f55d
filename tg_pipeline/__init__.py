"""Telegram chats as a PostgreSQL archive and trustworthy datasets."""
