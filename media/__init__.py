"""RTP in, RTP out, samples between.  Knows no SIP and no SDP."""
