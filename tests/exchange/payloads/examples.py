"""One good payload of every kind, with every optional part present once."""

from __future__ import annotations

from typing import Any

ID, ID_2, ID_3 = "AbCdEfGhIjKlMnOpQrStUv", "BbCdEfGhIjKlMnOpQrStUv", "C" * 64
CITIZEN = "001099012345"
TIME = 1_800_000_000

PARCEL: dict[str, Any] = {
    "item_id": ID, "rank": 1, "parcel_code": "00123-45-67", "commune_name": "Xã Ba Vì", "hamlet": "thôn Đồng Chằm",
    "land_use_code": "ONT", "area_m2": 120.5, "certificate_serial": "AB 123456", "certificate_year": 2004,
    "co_owner_name": "Trần Thị B", "role": "co_owner",
}  # fmt: skip
EMPTY_PARCEL = {name: PARCEL[name] if name in {"item_id", "rank"} else None for name in PARCEL}
QUESTION: dict[str, Any] = {
    "question_id": ID, "citizen_id": CITIZEN, "parcels": [PARCEL, EMPTY_PARCEL | {"item_id": ID_2}], "priority": 0.25,
    "expires_in": 86_400,
}  # fmt: skip
ITEM: dict[str, Any] = {
    "item_id": ID,
    "facts": [{"label": "commune", "value": "Xã Ba Vì"}, {"label": "certificate", "value": "AB…, cấp năm 2004"}],
    "challenge": {"kind": "certificate_suffix", "length": 4},
}
CITIZEN_ANSWER: dict[str, Any] = {
    "item_id": ID,
    "verdict": "mine",
    "challenge_response": "3456",
    "corrections": [{"field": "birth_date", "value": "1960-02-03"}],
}
ENTRY: dict[str, Any] = {
    "question_id": ID, "item_id": ID_2, "citizen_id": CITIZEN, "state": "settled", "verdict": "mine", "proven": True,
    "evidence_level": "challenge", "answered_at": TIME,
}  # fmt: skip

GOOD: dict[str, dict[str, Any]] = {
    "landquestions+jwt": {"batch_id": ID, "questions": [QUESTION, QUESTION | {"question_id": ID_2}]},
    "landquestions-receipt+jwt": {
        "batch_id": ID, "accepted": [ID], "duplicates": [ID_2], "refused": [{"question_id": ID_3, "why": "conflict"}],
    },
    "landwithdraw+jwt": {"batch_id": ID, "question_ids": [ID, ID_2], "reason": "đã xử lý tại xã"},
    "landwithdraw-receipt+jwt": {"batch_id": ID, "withdrawn": [ID], "too_late": [ID_2], "unknown": [ID_3]},
    "landcollect+jwt": {"after": "17", "limit": 1000},
    "landanswers+jwt": {"answers": [ENTRY], "next": "18"},
    "landask+jwt": {
        "scope": "openid land_confirmation", "login_hint": CITIZEN, "client_notification_token": "T" * 43,
        "binding_message": "ABCD-2345", "requested_expiry": 86_400,
        "ask": {
            "question_id": ID, "attempt": 1, "purpose": "land_confirmation", "remind_after_days": [3, 10, 24],
            "items": [ITEM, ITEM | {"item_id": ID_2, "challenge": {"kind": "none", "length": 0}}],
        },
    },
    "landcancel+jwt": {"auth_req_id": ID, "question_id": ID_2, "reason": "frozen"},
    "landcancel-receipt+jwt": {"auth_req_id": ID},
    "landfetch+jwt": {"grant_type": "urn:openid:params:grant-type:ciba", "auth_req_id": ID},
    "landreply+jwt": {
        "auth_req_id": ID, "question_id": ID_2, "attempt": 2, "ask_jti": ID_3, "sub": CITIZEN,
        "acr": "urn:vneid:level:2", "answers": [CITIZEN_ANSWER], "answered_at": TIME,
    },
    "landrevise+jwt": {
        "revises": ID, "sub": CITIZEN, "acr": "urn:vneid:level:3", "answers": [CITIZEN_ANSWER], "answered_at": TIME,
    },
    "landrevise-receipt+jwt": {"revises": ID},
    "landdecl+jwt": {
        "declaration_id": ID, "sub": CITIZEN, "acr": "urn:vneid:level:2", "certificate_serial": "AB 123456",
        "parcel_address": "thôn Đồng Chằm, xã Ba Vì", "on_behalf_of": {"name": "Nguyễn Văn A", "reason": "bố tôi"},
        "attachments": [{"name": "so-do.pdf", "media_type": "application/pdf", "sha256": "0a" * 32, "size": 3_500_000}],
    },
    "landdecl-receipt+jwt": {"declaration_id": ID, "status": "queued_for_review"},
    "residence+jwt": {"citizen_id": CITIZEN, "case_no": "HS-1", "purpose": "residence_registration"},
    "residence-reply+jwt": {
        "citizen_id": CITIZEN, "case_no": "HS-1", "has_residential_parcel": True,
        "parcels": [{"parcel_code": "1-2-3", "address": "thôn A", "certificate_serial": "AB 123456", "role": "owner"}],
        "as_of": "2026-11-22",
    },
}  # fmt: skip
"""By `typ`."""

GOOD_JSON: dict[str, dict[str, Any]] = {
    "ask-answer": {"auth_req_id": ID, "expires_in": 86_400, "interval": 5},
    "ask-error": {"error": "unknown_user_id"},
    "token-error": {"error": "authorization_pending"},
    "callback": {"auth_req_id": ID},
}
