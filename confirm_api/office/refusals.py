"""What an officer asked for and cannot have: one sentence in Vietnamese for the officer, one stable code for the log.

    OfficeError
    ├── OutsideCommuneError   outside-commune
    ├── RoleError             wrong-role
    ├── UnknownCaseError      unknown-case
    ├── UnknownItemError      unknown-item
    ├── NotThisActionError    no-such-action
    ├── NoReasonError         no-reason
    ├── StateError            wrong-state
    ├── LoginError            login-failed
    ├── PasswordRuleError     weak-password
    └── AccountError          account

>>> OutsideCommuneError().code
'outside-commune'
"""

from __future__ import annotations

from typing import ClassVar

from confirm_api.errors import OfficeError


class _Refusal(OfficeError):  # noqa: N818 - not an error of its own, the root of those below
    sentence: ClassVar[str]

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(sentence or self.sentence)


class OutsideCommuneError(_Refusal):
    """The case is not of the officer's commune."""

    code = "outside-commune"
    sentence = "Hồ sơ không thuộc địa bàn được giao; hãy chuyển cho cán bộ phụ trách xã đó."


class RoleError(_Refusal):
    """The role may not do this."""

    code = "wrong-role"
    sentence = "Vai trò của tài khoản không được làm việc này; hãy dùng tài khoản của cán bộ xét duyệt."


class UnknownCaseError(_Refusal):
    """No such case."""

    code = "unknown-case"
    sentence = "Không có hồ sơ số này; hãy kiểm tra lại số hồ sơ trong danh sách."


class UnknownItemError(_Refusal):
    """No such item of a question."""

    code = "unknown-item"
    sentence = "Không có thửa đất này trong câu hỏi; hãy kiểm tra lại mã câu hỏi và mã mục."


class NotThisActionError(_Refusal):
    """This kind of case does not know the decision."""

    code = "no-such-action"
    sentence = "Loại hồ sơ này không có quyết định đó; hãy chọn một quyết định được nêu trong hồ sơ."


class NoReasonError(_Refusal):
    """A decision needs a reason in words."""

    code = "no-reason"
    sentence = "Quyết định phải có lý do, từ 10 đến 500 ký tự; hãy ghi căn cứ của quyết định."


class StateError(_Refusal):
    """The case is not in the state that this needs."""

    code = "wrong-state"
    sentence = "Hồ sơ đã được quyết định; muốn thay đổi, hãy mở lại hồ sơ và nêu lý do."


class LoginError(_Refusal):
    """Wrong name or password, a locked or disabled account: all the same from outside."""

    code = "login-failed"
    sentence = "Tên đăng nhập hoặc mật khẩu không đúng, hoặc tài khoản đang tạm khoá; hãy thử lại sau ít phút."


class PasswordRuleError(_Refusal):
    """A password that is too easy."""

    code = "weak-password"
    sentence = "Mật khẩu phải có từ 12 đến 128 ký tự, không chứa tên đăng nhập và không phải mật khẩu phổ biến."


class AccountError(_Refusal):
    """An officer's account that cannot be made or changed so."""

    code = "account"
    sentence = "Không có tài khoản này; hãy kiểm tra lại tên đăng nhập."
