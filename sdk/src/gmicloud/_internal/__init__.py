"""How the SDK works inside. Only the import paths named by the SDK reference are promised to stay."""
