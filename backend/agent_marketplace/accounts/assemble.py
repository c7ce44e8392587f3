"""Puts the parts of accounts together, for the composition root, the CLI and the tests alike."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from agent_marketplace.accounts.ai_auth_service import AIAuthService, Eraser
from agent_marketplace.accounts.authenticator import Authenticator
from agent_marketplace.accounts.by_link import ByLink
from agent_marketplace.accounts.devices import DeviceSignIn
from agent_marketplace.accounts.in_flight import InFlight
from agent_marketplace.accounts.keys import MarketplaceKeys
from agent_marketplace.accounts.limits import LimitRates, Limits
from agent_marketplace.accounts.links import Links
from agent_marketplace.accounts.passwords import Passwords
from agent_marketplace.accounts.provider_keys import Probe, ProviderKeys
from agent_marketplace.accounts.sessions import SessionTokens
from agent_marketplace.accounts.signup_credit import SignUpCredit
from agent_marketplace.accounts.verdicts import Verdicts
from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.ledger.ledger import Ledger
from agent_marketplace.mail import Mail
from agent_marketplace.mail.store import erase_user as erase_mail_of
from agent_marketplace.settings import Settings
from agent_marketplace.vault import InstallationSecrets, Vault


@dataclass(frozen=True, slots=True)
class Accounts:
    """Everything that accounts offers; `close()` ends its thread pool."""

    auth: AIAuthService
    authenticator: Authenticator
    keys: MarketplaceKeys
    devices: DeviceSignIn
    provider_keys: ProviderKeys
    limits: Limits
    passwords: Passwords
    in_flight: InFlight
    by_link: ByLink
    credit: SignUpCredit

    def follow(self, settings: Settings) -> None:
        """From here on sign-ups and limits go by these settings."""
        self.auth.settings = self.credit.settings = settings
        self.limits.enabled, self.in_flight.most = settings.rate_limits, settings.calls_per_user

    def close(self) -> None:
        self.passwords.close()


def assemble(
    db: Database,
    ledger: Ledger,
    vault: Vault,
    settings: Settings,
    secrets: InstallationSecrets,
    clock: Clock,
    mail: Mail,
    *,
    probe: Probe,
    providers: Collection[str],
    keyless: Collection[str] = (),
    erasers: Sequence[Eraser] = (),
) -> Accounts:
    """probe, providers, keyless: see ProviderKeys; erasers: see AIAuthService."""
    verdicts, tokens, passwords = Verdicts(clock), SessionTokens(secrets.jwt, clock), Passwords()
    limits = Limits(clock, enabled=settings.rate_limits, rates=LimitRates().shared_by(settings.nodes))
    in_flight = InFlight(settings.calls_per_user)
    authenticator = Authenticator(db, tokens, secrets.key_pepper, verdicts, clock, in_flight)
    provider_keys = ProviderKeys(vault, probe, providers, keyless)
    links = Links(mail, secrets.key_pepper, clock)
    credit = SignUpCredit(ledger, settings, secrets.key_pepper)
    auth = AIAuthService(
        db,
        ledger,
        vault,
        settings,
        clock,
        passwords=passwords,
        tokens=tokens,
        authenticator=authenticator,
        verdicts=verdicts,
        limits=limits,
        provider_keys=provider_keys,
        pepper=secrets.key_pepper,
        mail=mail,
        links=links,
        credit=credit,
        erasers=(erase_mail_of, *erasers),
    )
    keys = MarketplaceKeys(db, ledger, secrets.key_pepper, verdicts, clock)
    devices = DeviceSignIn(db, keys, limits, secrets.key_pepper, clock)
    by_link = ByLink(db, auth, links, credit, limits, clock)
    return Accounts(
        auth, authenticator, keys, devices, provider_keys, limits, passwords, in_flight, by_link, credit
    )
