"""The allocators, by module, against the golden vectors and against the kernel."""
