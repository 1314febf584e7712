"""`softswitch simulate`: days of a call centre made from files and options, told as a table.

Knows settings files, scenario files, journals and what a report looks like.  Refuses to know how
a day goes: `acd.simulate` does.  Nothing here needs a running switch.
"""
