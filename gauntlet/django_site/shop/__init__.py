"""A small Django site that shares its database, its key and its cookies with a Palisade service."""
