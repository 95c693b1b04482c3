"""How fast Safeguard is, beside the bare reading of both sides and beside its peers: `make bench`."""
