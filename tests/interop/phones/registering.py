"""REGISTER by hand, for SIPp phones: a scenario can be called, but not register by the way."""

import re
import socket
from hashlib import md5
from secrets import token_hex

from tests.interop.phones.account import Account


def register(account: Account, port: int, *, expires: int = 300, address: str = "") -> str:
    """Bind sip:USER@127.0.0.1:`port` for the account; the 200 as text."""
    host, call_id = address or "127.0.0.1", token_hex(8)
    family = socket.AF_INET6 if ":" in account.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as wire:
        wire.bind((host, 0))
        wire.settimeout(15)
        wire.connect((account.host, account.port))
        first = _exchange(wire, _request(account, port, expires, call_id, 1, ""))
        nonce, realm = _word("nonce", first), _word("realm", first)
        uri = f"sip:{account.host}:{account.port}"
        secret = _md5(f"{account.user}:{realm}:{account.password}")
        proof = _md5(f"{secret}:{nonce}:{_md5(f'REGISTER:{uri}')}")
        header = (
            f'Authorization: Digest username="{account.user}", realm="{realm}", nonce="{nonce}",'
            f' uri="{uri}", response="{proof}", algorithm=MD5\r\n'
        )
        last = _exchange(wire, _request(account, port, expires, call_id, 2, header))
    assert last.startswith("SIP/2.0 200"), last
    return last


def _request(
    account: Account, port: int, expires: int, call_id: str, number: int, extra: str
) -> bytes:
    return (
        f"REGISTER sip:{account.host}:{account.port} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{token_hex(8)};rport\r\n"
        f"From: <sip:{account.user}@office.test>;tag=reg{port}\r\n"
        f"To: <sip:{account.user}@office.test>\r\nCall-ID: {call_id}\r\n"
        f"CSeq: {number} REGISTER\r\nMax-Forwards: 70\r\n"
        f"Contact: <sip:{account.user}@127.0.0.1:{port}>\r\nExpires: {expires}\r\n{extra}"
        "Content-Length: 0\r\n\r\n"
    ).encode()


def _exchange(wire: socket.socket, request: bytes) -> str:
    wire.send(request)
    return wire.recv(65536).decode()


def _word(name: str, text: str) -> str:
    found = re.search(rf'{name}="([^"]*)"', text)
    assert found, text
    return found[1]


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()
