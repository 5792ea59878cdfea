"""Signing in, staying in, signing out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from orchestrator.access.passwords import Passwords
from orchestrator.access.roles import Role
from orchestrator.access.tokens import ACCESS_SECONDS, AccessTokens, Identity, new_refresh_token, token_hash
from orchestrator.core.clock import Clock
from orchestrator.core.errors import ApiError
from orchestrator.store.sessions_repository import Replayed, SessionsRepository
from orchestrator.store.users_repository import Membership, User, UsersRepository

REFRESH = timedelta(days=14)
# Wrong passwords in a row before the first lock; each further one doubles it.
FREE_FAILURES = 5
FIRST_LOCK = timedelta(seconds=30)
LONGEST_LOCK = timedelta(hours=1)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a client goes on with. expires_in: seconds of the access token."""

    access_token: str
    refresh_token: str
    expires_in: int = ACCESS_SECONDS


class Sessions:
    """The sign-ins of all users. now: seconds since 1970."""

    def __init__(
        self,
        users: UsersRepository,
        sessions: SessionsRepository,
        passwords: Passwords,
        tokens: AccessTokens,
        now: Clock,
    ) -> None:
        self._users = users
        self._sessions = sessions
        self._passwords = passwords
        self._tokens = tokens
        self._now = now

    async def sign_in(self, email: str, password: str, account: UUID | None = None) -> Grant:
        """A grant for *account*, or for the user's first one.

        Raises ApiError: 401 "bad_credentials", the same for an unknown address, a wrong password and a locked user; 403
        "no_account" for somebody who is in no account, or not in that one.
        """
        user, now = await self._users.by_email(email), self._time()
        right = await self._is_right(user, password, now)
        if user is None or not right or user.disabled_at is not None:
            log.warning("sign_in_refused", user=str(user.id) if user is not None else None)
            raise _bad_credentials()
        await self._users.forgive(user.id)
        membership = _chosen(await self._users.memberships(user.id), account)
        grant = await self._begin(user, membership)
        if grant is None:
            raise _bad_credentials()
        if user.password_hash is not None and self._passwords.is_outdated(user.password_hash):
            await self._users.rehash(user.id, user.password_hash, await self._passwords.hash(password))
        return grant

    async def begin_for(self, user: UUID, account: UUID) -> Grant:
        """A grant for *user* in *account*, who has shown elsewhere who they are.

        Raises ApiError: 403 "user_disabled"; 403 "no_account" for somebody who is not in it.
        """
        found = await self._users.get(user)
        if found is None or found.disabled_at is not None:
            log.warning("sign_in_refused", user=str(user))
            raise ApiError(403, "user_disabled", "this user may not sign in")
        membership = _chosen(await self._users.memberships(user), account)
        grant = await self._begin(found, membership)
        if grant is None:
            raise ApiError(409, "password_changed", "the user's password was changed at this moment; sign in again")
        return grant

    async def refresh(self, refresh_token: str) -> Grant:
        """The next grant; *refresh_token* is worth nothing from now on.

        Raises ApiError 401: "bad_token" for one that is unknown, expired or signed out; "token_replayed" for one that
        was traded before, which ends the session and all that followed from it.
        """
        now, following = self._time(), new_refresh_token()
        try:
            session = await self._sessions.trade(token_hash(refresh_token), token_hash(following), now, now + REFRESH)
        except Replayed as error:
            log.warning("refresh_token_replayed")
            raise ApiError(
                401,
                "token_replayed",
                "this refresh token was used before, so its session has been ended; sign in again",
            ) from error
        if session is None:
            raise ApiError(401, "bad_token", "the refresh token is unknown or no longer valid; sign in again")
        identity = Identity(session.user, session.account, Role(session.role), session.id)
        return Grant(self._tokens.issue(identity), following)

    async def sign_out(self, refresh_token: str) -> bool:
        """End the session of *refresh_token*; False when there is none that goes on."""
        return await self._sessions.end(token_hash(refresh_token), self._time())

    async def change_password(self, user: UUID, current: str, new: str) -> None:
        """Give *user* another password and end all of their sessions. Raises ApiError: 401, 422."""
        found, now = await self._users.get(user), self._time()
        if found is None or not await self._is_right(found, current, now):
            raise _bad_credentials()
        await self._users.set_password(user, await self._passwords.hash(new), now)

    async def reset_password(self, user: UUID, account: UUID, new: str) -> bool:
        """The same by an admin of *account*, without the old one; locks are lifted. False for no such user."""
        return await self._users.set_password(user, await self._passwords.hash(new), self._time(), account)

    async def _begin(self, user: User, membership: Membership) -> Grant | None:
        """A session of *user*; None when their password has changed."""
        token = new_refresh_token()
        session = await self._sessions.begin(membership.account, user, token_hash(token), self._time() + REFRESH)
        if session is None:
            return None
        log.info("signed_in", user=str(user.id), account=str(membership.account))
        identity = Identity(user.id, membership.account, Role(membership.role), session)
        return Grant(self._tokens.issue(identity), token)

    async def _is_right(self, user: User | None, password: str, now: datetime) -> bool:
        """Whether *password* is that of *user*. It takes as long when there is no such user, or they are locked."""
        right = await self._passwords.matches(user.password_hash if user is not None else None, password)
        return user is not None and await self._users.attempt(user.id, now, _lock) and right

    def _time(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC)


def _chosen(memberships: list[Membership], account: UUID | None) -> Membership:
    for membership in memberships:
        if account in {None, membership.account}:
            return membership
    raise ApiError(403, "no_account", "this user is in no account" if account is None else "this user is not in it")


def _lock(failures: int, now: datetime) -> datetime | None:
    over = failures - FREE_FAILURES
    return now + min(FIRST_LOCK * 2 ** min(over, 16), LONGEST_LOCK) if over >= 0 else None


def _bad_credentials() -> ApiError:
    why = "there is no such address with this password, or too many wrong ones have locked it for a while"
    return ApiError(401, "bad_credentials", why)
