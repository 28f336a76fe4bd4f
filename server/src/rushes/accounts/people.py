"""People as an operator administers them: made, shut out, given a password or a second factor."""

from uuid import UUID

from rushes.accounts.login import EMAIL
from rushes.accounts.passwords import Passwords
from rushes.accounts.sign_in_link import new_link
from rushes.accounts.totp import new_secret, otpauth_uri
from rushes.store.page_sessions import PageSessions
from rushes.store.users import ROLES, Users


class BadPerson(Exception):
    """The sentence says what is wrong with an e-mail or a role, or that nobody has that e-mail."""


class People:
    """The use cases behind `rushes users`. Raises BadPerson, WeakPassword and EmailTaken."""

    def __init__(self, users: Users, passwords: Passwords) -> None:
        self._users = users
        self._passwords = passwords

    async def create(self, email: str, password: str, org_id: UUID, role: str) -> UUID:
        """A new user with a role in one organisation."""
        if not EMAIL.fullmatch(email):
            raise BadPerson(f"{email!r} is not an e-mail address")
        _check_role(role)
        return await self._users.add(email, await self._passwords.hash(password), org_id, role)

    async def find(self, email: str) -> UUID:
        row = await self._users.by_email(email) if EMAIL.fullmatch(email) else None
        if row is None:
            raise BadPerson(f"Nobody has the e-mail {email!r}. rushes users list shows everybody")
        return row["user_id"]

    async def join(self, email: str, org_id: UUID, role: str) -> None:
        """Add somebody to an organisation, or change the role there; their sessions end."""
        _check_role(role)
        await self._users.join(await self.find(email), org_id, role)

    async def set_password(self, email: str, password: str) -> None:
        user_id = await self.find(email)
        await self._users.set_password(user_id, await self._passwords.hash(password))

    async def switch_totp_on(self, email: str) -> str:
        """Draw a new secret; the otpauth URI for an authenticator app, shown once."""
        user_id = await self.find(email)
        secret = new_secret()
        await self._users.set_totp(user_id, secret)
        return otpauth_uri(secret, email)

    async def switch_totp_off(self, email: str) -> None:
        await self._users.set_totp(await self.find(email), None)

    async def sign_in_link(self, email: str, page_sessions: PageSessions) -> str:
        """A one-time link's token, good for a quarter of an hour."""
        return await new_link(page_sessions, await self.find(email))

    async def set_disabled(self, email: str, disabled: bool) -> None:
        """Shut somebody out, with their sessions and keys, or let them in again."""
        await self._users.set_disabled(await self.find(email), disabled)


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise BadPerson(f"{role!r} is not a role; the roles are {', '.join(ROLES)}")
