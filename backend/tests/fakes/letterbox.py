"""Where mail of a test ends: in a list, or nowhere."""

from email.message import EmailMessage

from agent_marketplace.net.smtp import NotSent


class Letterbox:
    """In the place of the mail server. refuses: what the next sendings get to hear, one after the other."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.refuses: list[NotSent] = []

    def __call__(self, message: EmailMessage) -> None:
        if self.refuses:
            raise self.refuses.pop(0)
        self.letters.append(message)

    @property
    def subjects(self) -> list[str]:
        """Of all letters, oldest first."""
        return [str(letter["Subject"]) for letter in self.letters]

    def text(self) -> str:
        """Of the newest letter."""
        return str(self.letters[-1].get_content())

    def token(self) -> str:
        """Of the newest letter's link."""
        return self.text().split("#")[1].split()[0]
