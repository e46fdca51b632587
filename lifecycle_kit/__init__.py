"""lifecycle-kit: who is in which of your own lifecycle stages, today and on any past day."""
