"""The call centre on real calls: where the queue engine and telephone calls meet.

The engine (`acd`) decides who waits, who is free and who gets whom, and knows no telephone.
Here its decisions become legs and sound, and what happens to legs becomes its events.
"""
