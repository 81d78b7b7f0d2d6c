"""What the officer reads: one Vietnamese wording for each code, the same in the pages and on the command line.

>>> KINDS["dispute"], label(ACTIONS, "confirm"), label(ACTIONS, "something new")
('Tranh chấp', 'Xác nhận của công dân này', 'something new')
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

KINDS: Final[dict[str, str]] = {
    "suspected_fraud": "Nghi ngờ lừa đảo",
    "dispute": "Tranh chấp",
    "failed_challenge": "Trả lời sai ba lần",
    "unproven": "Nhận nhưng chưa chứng minh",
    "unsure": "Không chắc chắn",
    "revision": "Thay đổi câu trả lời",
    "correction": "Đề nghị đính chính",
    "declaration": "Tự khai giấy chứng nhận",
    "review": "Đối chiếu cần xem xét",
}

WHY: Final[dict[str, str]] = {
    "suspected_fraud": "Công dân báo nghi ngờ lừa đảo. Câu hỏi đã bị phong tỏa, không ai được hỏi tiếp "
    "cho đến khi có hai cán bộ quyết định.",
    "dispute": "Có từ hai người cùng chứng minh mình có quyền đối với một thửa đất. Phần mềm không tự chọn ai.",
    "failed_challenge": "Công dân trả lời là của mình nhưng ba lần nhập sai các ký tự cuối của giấy chứng nhận.",
    "unproven": "Công dân trả lời là của mình nhưng không nhập được các ký tự cuối của giấy chứng nhận.",
    "unsure": "Công dân trả lời không chắc thửa đất có phải của mình hay không.",
    "revision": "Công dân đã thay đổi câu trả lời trước. Kết quả của câu trả lời cũ đã được huỷ.",
    "correction": "Công dân đề nghị đính chính thông tin. Phần mềm không tự sửa dữ liệu.",
    "declaration": "Công dân tự khai một giấy chứng nhận mà phần mềm chưa khớp được.",
    "review": "Kết quả đối chiếu có mâu thuẫn mà phần mềm không tự quyết định được.",
}
"""Why the case lies with a person; one sentence or two."""

STATES: Final[dict[str, str]] = {
    "open": "Chờ quyết định",
    "first_vote": "Chờ cán bộ thứ hai",
    "decided": "Đã quyết định",
}

ACTIONS: Final[dict[str, str]] = {
    "confirm": "Xác nhận của công dân này",
    "reject": "Không phải của công dân này",
    "nobody": "Không thuộc ai đã được hỏi",
    "unfreeze": "Gỡ phong tỏa",
    "accept": "Tiếp nhận",
    "decline": "Không tiếp nhận",
    "reopen": "Mở lại hồ sơ",
    "dispute": "Mở tranh chấp",
    "follows": "Kết thúc theo quyết định ở hồ sơ khác",
    "superseded": "Thay bằng lần đối chiếu mới",
}

CONSEQUENCES: Final[dict[str, str]] = {
    "confirm": "Thửa đất được ghi nhận là của công dân này, căn cứ quyết định của cán bộ.",
    "reject": "Câu hỏi về thửa đất này kết thúc; thửa đất không gắn với công dân này.",
    "nobody": "Mọi câu hỏi về thửa đất này kết thúc; thửa đất đưa vào danh sách thu thập tại thôn, tổ dân phố.",
    "unfreeze": "Báo cáo lừa đảo được kết thúc; câu hỏi được gỡ phong tỏa và từng thửa đất chuyển cho cán bộ xem xét.",
    "accept": "Đề nghị được tiếp nhận để làm thủ tục đăng ký biến động; dữ liệu đất đai chưa thay đổi.",
    "decline": "Đề nghị không được tiếp nhận; dữ liệu đất đai không thay đổi.",
}
"""What a decision does, in one sentence each."""

REVIEW_CONSEQUENCES: Final[dict[str, str]] = {
    "confirm": "Kết quả đối chiếu được chấp nhận: thửa đất được tính khi Công an hỏi về chỗ ở hợp pháp.",
    "reject": "Kết quả đối chiếu không được chấp nhận: thửa đất không gắn với công dân này.",
}

ROLES: Final[dict[str, str]] = {
    "reviewer": "Cán bộ xét duyệt",
    "second_reviewer": "Cán bộ xét duyệt thứ hai",
    "auditor": "Kiểm toán",
}

VERDICTS: Final[dict[str, str]] = {
    "mine": "Của tôi",
    "not_mine": "Không phải của tôi",
    "unsure": "Không chắc",
    "suspected_fraud": "Nghi ngờ lừa đảo",
}

CORRECTIONS: Final[dict[str, str]] = {
    "full_name": "Họ và tên",
    "birth_date": "Ngày sinh",
    "id_no": "Số định danh",
    "address": "Địa chỉ",
    "co_owner_name": "Người đồng sử dụng",
    "transferred_to": "Đã chuyển nhượng cho",
}

FACTS: Final[dict[str, str]] = {
    "parcel_code": "Mã thửa đất",
    "commune_name": "Xã, phường",
    "hamlet": "Thôn, tổ dân phố",
    "land_use_code": "Loại đất",
    "area_m2": "Diện tích (m²)",
    "certificate_serial": "Số phát hành giấy chứng nhận",
    "certificate_year": "Năm cấp",
    "co_owner_name": "Người đồng sử dụng",
    "role": "Vai trò",
    "address": "Địa chỉ thửa đất",
    "certificate_no": "Số vào sổ cấp giấy chứng nhận",
    "owner_name": "Tên ghi trong sổ",
    "decision_reason": "Lý do cần xem xét",
    "match_probability": "Xác suất khớp",
}
"""What the register says of a parcel, in the order in which it is shown."""

ITEM_STATES: Final[dict[str, str]] = {
    "held": "chờ người trước trả lời",
    "free": "chờ gửi",
    "asked": "đang hỏi",
    "settled": "đã xong",
    "declined": "công dân từ chối trả lời",
    "expired": "hết hạn",
    "withdrawn": "đã rút",
    "undeliverable": "không gửi được",
    "disputed": "tranh chấp",
    "office": "tại cán bộ",
}

EVIDENCE: Final[dict[str, str]] = {
    "none": "chưa có câu trả lời",
    "tap": "chỉ bấm chọn, không chứng minh",
    "challenge": "nhập đúng ký tự cuối của giấy chứng nhận",
    "officer": "cán bộ quyết định",
}

PARCEL_ROLES: Final[dict[str, str]] = {"owner": "người sử dụng đất", "co_owner": "người đồng sử dụng"}

TWO_OFFICERS: Final = "Hồ sơ này cần hai cán bộ khác nhau cùng quyết định, trong đó có một cán bộ xét duyệt thứ hai."


def label(words: Mapping[str, str], code: str | None) -> str:
    """The wording of a code; the code itself where a newer version made it, nothing for null."""
    return "" if code is None else words.get(code, code)


def consequence(kind: str, action: str) -> str:
    """What a decision does in a case of this kind.

    >>> consequence("review", "confirm") != consequence("unproven", "confirm")
    True
    """
    words = REVIEW_CONSEQUENCES if kind == "review" else CONSEQUENCES
    return words[action]


def age(seconds: int) -> str:
    """How long a case has waited, in the largest unit that says something.

    >>> age(90), age(7_200), age(3 * 86_400)
    ('1 phút', '2 giờ', '3 ngày')
    """
    for unit, size in (("ngày", 86_400), ("giờ", 3_600), ("phút", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return "vừa xong"
