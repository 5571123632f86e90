"""What happened recently: event-time panes per subject. Pure."""
