"""What we hold between runs: values, their encoding, the port of the stores and the stores. Decides nothing."""
