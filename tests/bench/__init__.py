"""What is measured, on real parts: `make bench` runs all, `python -m tests.bench NAME` one."""
