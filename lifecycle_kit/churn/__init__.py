"""Who is about to leave, in which groups, and what is at stake."""
