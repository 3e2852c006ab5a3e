"""Read files of people."""

from users.whitelist.reading import read_people


def people(text):
    return read_people(text.encode())
