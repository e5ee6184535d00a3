"""Tests of zsim.stores."""
