"""The architectures of the networks in torch, one file per family."""
