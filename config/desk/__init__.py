"""The desk's toolkit: what lists, forms and pages of the admin share. Knows no app."""
