"""The Python behind the commands in `scripts/`, some of which the tests use too."""
