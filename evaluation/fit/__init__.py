"""Fits what the policy says about usual and unusual features, to seeds that judge nothing."""
