"""Recording, one file each."""
