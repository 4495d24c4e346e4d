"""The services: long-lived processes that answer requests and end with twin."""
