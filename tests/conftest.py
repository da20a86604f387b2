"""One thread per test process: there are as many processes as cores already."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything imports torch
# Waiting threads sleep: on a busy machine, spinning would be much of an evaluation's time.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
