"""Telegram itself, read with the account of whoever runs this."""
