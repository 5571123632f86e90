"""A small internet: countries, cities, providers, addresses, browsers. No randomness of its own."""
