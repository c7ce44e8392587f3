"""Errors whose words the interface promises. Those that are bad input or bad credentials are also a ValueError."""

from agent_marketplace.errors import BadRequest, Forbidden, Unauthorized


class EmailTaken(BadRequest, ValueError):
    """Another account has this address (400)."""

    code = "email_taken"

    def __init__(self) -> None:
        super().__init__("Email already registered")


class InvalidEmail(BadRequest, ValueError):
    """Not an e-mail address (400)."""

    code = "invalid_email"


class WeakPassword(BadRequest, ValueError):
    """Too short, too long or too common (400)."""

    code = "weak_password"


class InvalidCredentials(Unauthorized, ValueError):
    """Unknown address or wrong password: the two are not told apart (401)."""

    code = "invalid_credentials"

    def __init__(self) -> None:
        super().__init__("Invalid credentials")


class InvalidToken(Unauthorized, ValueError):
    """A session token or marketplace key that is forged, expired or revoked (401)."""

    code = "invalid_token"

    def __init__(self, message: str = "Invalid or expired token") -> None:
        super().__init__(message)


class SignUpClosed(Forbidden, ValueError):
    """This installation takes no sign-ups, or none without an invite (403)."""

    code = "signup_closed"


class InvalidAmount(BadRequest, ValueError):
    """Not an amount of dollars above 0 with at most nine decimal places (400)."""

    code = "invalid_amount"
