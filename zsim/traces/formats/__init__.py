"""Traces as others write them, a file each: `read(path, limit)` gives the rows of a trace, run by run."""
