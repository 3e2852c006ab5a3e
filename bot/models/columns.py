"""Lengths of columns that several tables have."""

ADDRESS_LENGTH = 255
EXTERNAL_ID_LENGTH = 255
REQUEST_ID_LENGTH = 32
FILENAME_LENGTH = 100
