"""Scored events in the words of others: OCSF, ECS and CEF. Pure."""
