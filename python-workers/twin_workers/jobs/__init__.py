"""The jobs: one file each, in the order in which things happen."""
