"""SIPp scenarios that several tests use."""

REGISTRAR = """
<?xml version="1.0" encoding="UTF-8"?>
<scenario name="a registrar that asks once for a password">
  <recv request="REGISTER"/>
  <send><![CDATA[
    SIP/2.0 401 Unauthorized
    [last_Via:]
    [last_From:]
    [last_To:];tag=[pid]SIPpTag01[call_number]
    [last_Call-ID:]
    [last_CSeq:]
    WWW-Authenticate: Digest realm="office.test", nonce="0123456789abcdef", qop="auth"
    Content-Length: 0

  ]]></send>
  <recv request="REGISTER"/>
  <send><![CDATA[
    SIP/2.0 200 OK
    [last_Via:]
    [last_From:]
    [last_To:];tag=[pid]SIPpTag01[call_number]
    [last_Call-ID:]
    [last_CSeq:]
    [last_Contact:]
    Expires: 60
    Content-Length: 0

  ]]></send>
</scenario>
"""
