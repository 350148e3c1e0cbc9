"""The command line of operators: tenants and keys, of this machine's Leadwire or of a deployed stack."""
