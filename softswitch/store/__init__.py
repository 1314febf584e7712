"""What must outlive the process: a journal first, a database soon after.

Knows files, SQL and wall-clock time (UTC epoch seconds).  Refuses to know SIP, media and
what a feature means by the rows that it keeps here.
"""
