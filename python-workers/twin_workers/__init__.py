"""The Python side of twin: jobs under a keeper, and services that live as long as twin does."""
