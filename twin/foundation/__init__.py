"""Words and tools that know nothing about kitchens' data: times, geography, stages, settings, errors, caching, telemetry."""
