"""Export of everything held about a person."""
