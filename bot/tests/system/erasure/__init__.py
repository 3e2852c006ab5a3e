"""The proof of an erasure: somebody who is everywhere, a search of everything that is kept, and what has to stay."""
