"""Long proofs: what must hold whatever is killed, full or damaged. `make prove` runs them long."""
