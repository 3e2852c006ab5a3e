"""For development and demonstrations only: demo data, and stand-ins of providers."""
