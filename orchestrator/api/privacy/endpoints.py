"""`/api/v1/privacy`: what of callers' words may be kept."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from orchestrator.access.roles import Permission
from orchestrator.access.tokens import Identity
from orchestrator.api.door import Door
from orchestrator.api.schemas import Asked, Told
from orchestrator.compliance.policies import MaskingPolicies
from orchestrator.core.privacy import Masking
from orchestrator.store.privacy_repository import PrivacyRepository


class PrivacySave(Asked):
    """masking: of the words of calls that begin from now on, in transcripts, turns, events and live views."""

    masking: Masking


class PrivacyRead(Told):
    """masking: what an agent does not ask more than."""

    masking: Masking


def privacy_router(privacy: PrivacyRepository, policies: MaskingPolicies, door: Door) -> APIRouter:
    """The routes, for admins."""
    router = APIRouter(prefix="/api/v1/privacy", tags=["privacy"])
    admin = Depends(door.needs(Permission.MANAGE_PRIVACY))

    @router.get("")
    async def get_privacy(who: Identity = admin) -> PrivacyRead:
        """What is masked in the words of the account's calls."""
        return PrivacyRead(masking=await privacy.masking(who.account))

    @router.put("")
    async def set_privacy(asked: PrivacySave, who: Identity = admin) -> PrivacyRead:
        """Let more or less be masked in calls that begin from now on. What is kept already stays as it is."""
        await policies.set(who.account, asked.masking)
        return PrivacyRead(masking=asked.masking)

    return router
