"""Who is judged. A contender sees events as they are received and never a label."""
