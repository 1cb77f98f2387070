"""What every layer uses and what needs no data: times, geography, stages, settings, errors, caching, progress, telemetry."""
