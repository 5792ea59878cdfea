"""`/api/v1/privacy`: what of callers' words and sounds may be kept."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from pydantic import StrictBool

from orchestrator.access.roles import Permission
from orchestrator.access.tokens import Identity
from orchestrator.api.audit.middleware import note_values
from orchestrator.api.door import Door
from orchestrator.api.schemas import Asked, Told
from orchestrator.compliance.policies import MaskingPolicies
from orchestrator.core.privacy import Masking, MaskingPolicy
from orchestrator.store.privacy_repository import PrivacyRepository


class PrivacySave(Asked):
    """Of calls that begin from now on. masking: of their words, in transcripts, turns, events and live views;
    mask_recordings: whether what is masked in the words is silenced in the recording; absent, that stays as it is.
    """

    masking: Masking
    mask_recordings: StrictBool | None = None


class PrivacyRead(Told):
    """masking: what an agent does not ask more than; mask_recordings: whether recordings are masked as their words."""

    masking: Masking
    mask_recordings: bool


def privacy_router(privacy: PrivacyRepository, policies: MaskingPolicies, door: Door) -> APIRouter:
    """The routes, for admins."""
    router = APIRouter(prefix="/api/v1/privacy", tags=["privacy"])
    admin = Depends(door.needs(Permission.MANAGE_PRIVACY))

    @router.get("")
    async def get_privacy(who: Identity = admin) -> PrivacyRead:
        """What is masked in the account's calls."""
        return _read(await privacy.policy(who.account))

    @router.put("")
    async def set_privacy(request: Request, asked: PrivacySave, who: Identity = admin) -> PrivacyRead:
        """Let more or less be masked in calls that begin from now on. What is kept already stays as it is."""
        policy = await privacy.set(who.account, asked.masking, asked.mask_recordings)
        note_values(request, _read(policy).model_dump(mode="json"))
        await policies.load()  # for this process's next call, which others hear of within moments
        return _read(policy)

    return router


def _read(policy: MaskingPolicy) -> PrivacyRead:
    return PrivacyRead(masking=policy.words, mask_recordings=policy.recordings)
