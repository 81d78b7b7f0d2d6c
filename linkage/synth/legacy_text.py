"""Text as old fonts stored it: TCVN3 (ABC, .VnTime) and VNI-Windows, seen through CP1252.

Rules
- TCVN3 has one byte a letter and no accented capitals but Ă Â Ê Ô Ơ Ư Đ: the font draws them, the text holds
  small ones.
- The ư of TCVN3 is the soft hyphen, which some programs drop.
- VNI has a base letter and a mark character.

>>> to_tcvn3("Nguyễn Văn Hùng"), to_vni("Nguyễn Văn Hùng")
('NguyÔn V¨n Hïng', 'Nguyeãn Vaên Huøng')
"""

from __future__ import annotations

import unicodedata

_TCVN3 = """A8ă A9â AAê ABô ACơ ADư AEđ B5à B6ả B7ã B8á B9ạ BBằ BCẳ BDẵ BEắ C6ặ C7ầ C8ẩ C9ẫ CAấ CBậ CCè CEẻ CFẽ D0é D1ẹ
D2ề D3ể D4ễ D5ế D6ệ D7ì D8ỉ DCĩ DDí DEị DFò E1ỏ E2õ E3ó E4ọ E5ồ E6ổ E7ỗ E8ố E9ộ EAờ EBở ECỡ EDớ EEợ EFù F1ủ F2ũ F3ú F4ụ
F5ừ F6ử F7ữ F8ứ F9ự FAỳ FBỷ FCỹ FDý FEỵ A1Ă A2Â A3Ê A4Ô A5Ơ A6Ư A7Đ"""
SOFT_HYPHEN = "\u00ad"

_TO_TCVN3 = {ord(code[2]): bytes.fromhex(code[:2]).decode("cp1252") for code in _TCVN3.split()}
_TO_TCVN3.update(
    {ord(chr(c).upper()): text for c, text in list(_TO_TCVN3.items()) if ord(chr(c).upper()) not in _TO_TCVN3}
)

_GRAVE, _ACUTE, _TILDE, _HOOK, _DOT = "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"
_PLAIN_MARKS = {_ACUTE: "ù", _GRAVE: "ø", _HOOK: "û", _TILDE: "õ", _DOT: "ï"}
_HAT_MARKS = {"": "â", _ACUTE: "á", _GRAVE: "à", _HOOK: "å", _TILDE: "ã", _DOT: "ä"}
_BREVE_MARKS = {"": "ê", _ACUTE: "é", _GRAVE: "è", _HOOK: "ú", _TILDE: "ü", _DOT: "ë"}
_I_FORMS = {"": "i", _ACUTE: "í", _GRAVE: "ì", _HOOK: "æ", _TILDE: "ó", _DOT: "ò"}


def _vni_letter(base: str, tone: str) -> str:
    parts = unicodedata.normalize("NFD", base)
    if base == "i":
        return _I_FORMS[tone]
    if base == "y" and tone == _DOT:
        return "î"
    if parts[1:] == "\u0302":
        return parts[0] + _HAT_MARKS[tone]
    if parts[1:] == "\u0306":
        return parts[0] + _BREVE_MARKS[tone]
    letter = {"ơ": "ô", "ư": "ö"}.get(base, base)
    return letter + _PLAIN_MARKS.get(tone, "")


def _vni_table() -> dict[int, str]:
    table = {ord("đ"): "ñ", ord("Đ"): "Ñ"}
    for base in "aăâeêioôơuưy":
        for tone in ("", *_PLAIN_MARKS):
            letter, text = unicodedata.normalize("NFC", base + tone), _vni_letter(base, tone)
            if len(letter) == 1 and letter != text:
                table[ord(letter)], table[ord(letter.upper())] = text, text.upper()
    return table


_TO_VNI = _vni_table()


def to_tcvn3(text: str, *, soft_hyphen_kept: bool = True) -> str:
    """Text as a TCVN3 file shows it when read as CP1252."""
    written = unicodedata.normalize("NFC", text).translate(_TO_TCVN3)
    return written if soft_hyphen_kept else written.replace(SOFT_HYPHEN, "")


def to_vni(text: str) -> str:
    """Text as a VNI-Windows file shows it when read as CP1252."""
    return unicodedata.normalize("NFC", text).translate(_TO_VNI)
