"""Legs and what joins them: the async verbs that features are written in.

Knows sip, sdp and media; refuses to know extensions, queues, databases and configuration files.
"""
