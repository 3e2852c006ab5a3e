"""A person's rights: what is held about them, all of it in their hands, and all of it gone."""
