"""The audit log: a plain RFC 6962 Merkle tree, its signed checkpoints, its proofs (protocol §6)."""
