"""The remote: a client of the task API, written once without I/O; only `drivers` touches a network."""
