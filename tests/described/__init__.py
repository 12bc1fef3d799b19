"""The API against its own description: schemathesis makes requests from it, right ones and wrong ones."""
