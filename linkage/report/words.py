"""The page's fixed words in both languages: Vietnamese for the office, English for the data team.

Rules
- A `Both` is what the page prints; which half is seen, the reader's switch decides.
- A term of the field keeps its English name in brackets where the office may meet it elsewhere.
- An unknown code is shown as it is: never dropped, never guessed.

>>> str(decision_words("link").vi), decision_words("later").en
('Khớp (máy tự nhận)', 'later')
"""

from __future__ import annotations

from typing import NamedTuple


class Both(NamedTuple):
    """One phrase in both languages."""

    vi: str
    en: str


DECISIONS = {
    "link": Both("Khớp (máy tự nhận)", "Linked"),
    "ask": Both("Cần hỏi công dân", "Ask the citizen"),
    "review": Both("Cán bộ cần xem", "Officer reviews"),
    "no_match": Both("Không tìm thấy trong CSDL dân cư", "Not in the register"),
    "not_a_person": Both("Không phải cá nhân", "Not a person"),
}
DECISION_NOTES = {
    "link": Both("Đủ chắc chắn, không cần làm gì thêm.", "Sure enough; nothing more to do."),
    "ask": Both(
        "Chính công dân trả lời được; nơi chưa có dịch vụ xác nhận thì cán bộ xem.",
        "The citizen can settle it; where there is no confirmation service, an officer does.",
    ),
    "review": Both(
        "Cần mắt người: mở links.xlsx, xem cột lý do.", "Needs a person's eye: see the reason in links.xlsx."
    ),
    "no_match": Both("Chưa tìm thấy người tương ứng.", "Nobody in the register fits."),
    "not_a_person": Both("Tổ chức, cộng đồng dân cư, cơ sở tôn giáo.", "Organisation, community or religious body."),
}
OUTCOMES = {
    "confirmed": Both("Công dân xác nhận, đã chứng minh", "Confirmed and proven by the citizen"),
    "same_hand": Both(
        "Cùng giấy chứng nhận hoặc số giấy tờ với chỗ đã xác nhận", "Same certificate or number as a confirmed one"
    ),
    "office": Both("Chuyển cán bộ quyết định", "With an officer"),
    "denied": Both("Những người được hỏi đều nói không phải của mình", "Everyone asked says it is not theirs"),
    "no_answer": Both("Không ai trả lời trong thời hạn", "Nobody answered in time"),
    "open": Both("Còn chờ trả lời", "Still waiting"),
}
VERDICTS = {
    "mine": Both("Của tôi", "Mine"),
    "not_mine": Both("Không phải của tôi", "Not mine"),
    "unsure": Both("Không chắc", "Unsure"),
    "suspected_fraud": Both("Nghi ngờ lừa đảo", "Suspected fraud"),
    "none": Both("Không trả lời", "No reply"),
}
QUALITY = {
    "precision": Both("Độ chính xác", "Precision"),
    "recall": Both("Độ phủ", "Recall"),
    "linked": Both("Đã nối", "Linked"),
    "wrong": Both("Nối sai", "Linked wrongly"),
}
SCOPES = {
    "owner": Both("Chủ sử dụng", "Owners"),
    "co_owner": Both("Đồng sử dụng (người thứ hai trở đi)", "Co-owners (second and further persons)"),
    "all": Both("Tất cả", "All"),
}
WRONG = {
    "wrong_citizen": Both("Nối nhầm công dân", "Wrong citizen"),
    "not_in_register": Both("Người không có trong CSDL", "Person not in the register"),
    "organisation": Both("Tổ chức bị nối", "Organisation linked"),
    "invented": Both("Người không có thật", "Invented person"),
}
EXAMPLES = {
    "sure": Both("Một liên kết chắc chắn", "A sure link"),
    "doubtful": Both("Một trường hợp còn nghi ngờ", "A doubtful pair"),
    "refused": Both("Một cặp bị từ chối", "A refused pair"),
}
FACTS = {
    "name": Both("Họ tên", "Name"),
    "birth_year": Both("Năm sinh", "Birth year"),
    "sex": Both("Giới tính", "Sex"),
    "id12": Both("Số CCCD", "12-digit id"),
    "id9": Both("Số CMND", "9-digit id"),
    "commune_code": Both("Mã xã", "Commune"),
    "hamlet": Both("Thôn", "Hamlet"),
    "spouse_name": Both("Vợ/chồng", "Spouse"),
    "lines": Both("Số dòng đã gom", "Lines gathered"),
}
STEPS = {
    "prior": "xuất phát · prior",
    "beyond_the_pair": "ngoài cặp · beyond the pair",
}
SUBGROUPS = {
    "id_number": Both("Số giấy tờ tuỳ thân", "Id number"),
    "sex": Both("Giới tính", "Sex"),
    "decade_of_birth": Both("Thập niên sinh", "Decade of birth"),
    "commune": Both("Xã", "Commune"),
}
VALUES = {
    "with": Both("có", "with"),
    "without": Both("không có", "without"),
    "unknown": Both("không rõ", "unknown"),
    "M": Both("Nam", "Male"),
    "F": Both("Nữ", "Female"),
}
COUNTS = {
    "rows_read": Both("Dòng đã đọc", "Rows read"),
    "rows_used": Both("Dòng được dùng", "Rows used"),
    "rows_rejected": Both("Dòng bị trả lại", "Rows rejected"),
    "persons": Both("Người sau khi quy chủ", "Persons after gathering"),
    "pairs": Both("Cặp đã so sánh", "Pairs compared"),
}


def reason_words(told: object) -> Both | None:
    """Read a reason's words from the manifest: [English, Vietnamese], or nothing usable.

    >>> reason_words(["names agree", "Trùng họ tên"])
    Both(vi='Trùng họ tên', en='names agree')
    """
    if isinstance(told, list | tuple) and len(told) == 2:
        return Both(str(told[1]), str(told[0]))
    return None


def decision_words(code: str) -> Both:
    """Put a decision in words."""
    return DECISIONS.get(code, Both(code, code))
