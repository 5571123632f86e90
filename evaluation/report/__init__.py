"""Figures to text and plots."""
