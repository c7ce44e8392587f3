"""What can go wrong on the way to a provider, as types. Nothing else leaves `net`'s outbound clients."""


class NetError(Exception):
    """Base of all outbound failures. sent: whether the request may have reached the provider (and may be billed)."""

    sent = True

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidRequest(NetError):
    """The request itself can't be put on the wire: a bad URL, or a control character in a header."""

    sent = False


class AddressRefused(NetError):
    """The host, or one of the addresses it resolves to, is not a place we may connect to."""

    sent = False


class ConnectFailed(NetError):
    """No connection: refused, unreachable, unknown name, or not up within `connect_s`."""

    sent = False


class Busy(ConnectFailed):
    """No connection of ours to the provider came free: says nothing about the provider."""


class TlsFailed(NetError):
    """The TLS handshake failed or the certificate doesn't prove the host's name."""

    sent = False


class FirstByteTimeout(NetError):
    """No answer's head within `first_byte_s`."""


class IdleTimeout(NetError):
    """The answer stopped for longer than `idle_s` while we were ready to read."""


class TotalTimeout(NetError):
    """The whole exchange took longer than `total_s`."""


class Truncated(NetError):
    """The connection ended before the answer did."""


class TooLarge(NetError):
    """The answer's head or body (after decompression) is over its cap."""


class ProtocolError(NetError):
    """The answer isn't valid HTTP/1.1, or uses what we refuse (101, unknown codings)."""


class Redirected(ProtocolError):
    """The provider answered 3xx; redirects are never followed. status: the answer's."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the provider answered with a redirect ({status}), which is never followed")
        self.status = status
