"""Logging: lines, context, redaction, sampling, error reports."""
