"""Chaos: a gateway under load while everything is done to it, and an account of every request."""
