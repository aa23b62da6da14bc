"""Terraform's HTTP state protocol, as a register."""
