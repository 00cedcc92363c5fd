"""The Python behind the commands in `scripts/`; the tests use some of it too."""
