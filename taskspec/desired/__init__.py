"""Documents → desired: every task rendered, normalised and fingerprinted, with nothing left to look up."""
