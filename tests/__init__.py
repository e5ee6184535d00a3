"""The tests, as a package, so that they can share what builds traces and machines."""
