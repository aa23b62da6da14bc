"""An object store, as a register."""
