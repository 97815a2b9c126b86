"""labkit - the parts of contrib/testnet/lab."""
