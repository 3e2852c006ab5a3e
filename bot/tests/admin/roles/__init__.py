"""The table role × object × action: what each role may do and see, tried by every way in. A missing cell fails."""
