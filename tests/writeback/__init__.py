"""Writeback."""
