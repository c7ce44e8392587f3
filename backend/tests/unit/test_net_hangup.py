"""Who listens for a hang-up hears it, whenever it came, and never after having left."""

from agent_marketplace.net.guard import Hangup


def test_a_client_who_went_before_anybody_listened_is_not_answered_at_length() -> None:
    heard: list[str] = []
    hangup = Hangup()
    hangup.happened()
    hangup.listen(lambda: heard.append("gone"))
    assert heard == ["gone"]


def test_a_hang_up_is_heard_once_and_not_by_who_has_left() -> None:
    heard: list[str] = []
    first, second = Hangup(), Hangup()
    first.listen(lambda: heard.append("first"))
    second.listen(lambda: heard.append("second"))
    second.ignore()
    for hangup in (first, second, first):
        hangup.happened()
    assert heard == ["first"]
