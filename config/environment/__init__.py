"""The environment: variables declared, read, checked and explained."""
