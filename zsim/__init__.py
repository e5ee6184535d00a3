"""zsim: a trace-driven discrete-event simulator of in-kernel memory compression."""
