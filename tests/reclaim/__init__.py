"""Reclaim policies."""
