"""The state in a PostgreSQL database, for everybody who reaches it."""
