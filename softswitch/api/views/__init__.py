"""Views over the office's own objects, one subject a module.

They turn what pbx and store hold into the API's models, and commands into calls of theirs.
"""
