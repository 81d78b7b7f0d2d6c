"""Vietnamese names as rows of four word codes: surname, two middle words, given name (0 = no word).

Rules
- Percentages are rounded figures of the domain notes (national list, samples of students born about 1990 to 2005),
  tilted to Quảng Trị; older cohorts have Văn, Thị and the given names of their time.
- A child has the father's surname, a woman keeps hers. Minorities of the west (Bru-Vân Kiều, Pa Kô) are mostly Hồ.
- Misspellings are tables from a word's code to the codes of its variants, so that whole columns change at once.

>>> " ".join(WORDS[code] for code in codes("Hồ Thị Kăn"))
'Hồ Thị Kăn'
>>> WORDS[SPELLING[CODE["Hòa"]]], WORDS[OTHER[CODE["Hoàng"]]]
('Hoà', 'Huỳnh')
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from itertools import chain

import numpy as np
import polars as pl

from linkage.synth.draw import Flags, Floats, Ints, Rng

_SURNAMES = """Nguyễn 33 Trần 11.5 Lê 12 Phạm 4.8 Hoàng 6.5 Phan 5 Võ 4.6 Hồ 3 Trương 2.6 Đặng 1.6 Bùi 1.5 Đỗ
1.2 Ngô 1.2 Dương 1.3 Đoàn 1.5 Cái 0.6 Mai 1.3 Đinh 1.3 Đào 0.9 Cao 1.2 Hà 0.5 Thái 0.8 Trịnh 0.4 Lương 0.5 Lâm
0.3 Lưu 0.4 Lý 0.3 Phùng 0.3 Châu 0.2 Tạ 0.2 Tô 0.1 Văn 0.3 Vương 0.1 Từ 0.1 Huỳnh 0.5 Vũ 0.4 Nguyễn 0 Tống 0.2
Bạch 0.1 Đậu 0.2 Trà 0.1 Phúc 0.05 Tưởng 0.15 Lại 0.1 Biện 0.05 Diệp 0.05 Khổng 0.05 Mạc 0.05 Quách 0.05 Thân
0.05 Viên 0.05"""
_MINORITY_SURNAMES = "Hồ 86 Côn 2 Lê 3 Nguyễn 3 Vỗ 1 Pả 1 Đinh 2 Cao 2"
_MIDDLES_MEN = """Minh 7 Thanh 4.5 Hoàng 4.5 Ngọc 4 Quốc 3.7 Đức 3.2 Hữu 4 Thành 2.7 Quang 3.4 Tấn 1.2 Đình 3.2
Anh 2 Trung 1.9 Công 2.4 Xuân 2.6 Duy 1.9 Trọng 1.7 Viết 1.5 Bá 1.4 Thế 1.3 Sỹ 0.8 Khắc 0.8 Gia 1.2 Nhật 1.2
Tuấn 1 Văn 0 Hải 0.8 Mạnh 0.8 Phước 0.8 Bảo 0.9 Chí 0.7 Đăng 0.7 Tiến 0.7 Việt 0.6 Vĩnh 0.6 Như 0.5 Kim 0.4 Hồng
0.6 Phi 0.4 Cao 0.3 Thái 0.4 Trường 0.5 Huy 0.5 Đắc 0.4 Nho 0.2 Phú 0.4"""
_MIDDLES_WOMEN = """Ngọc 13 Nguyễn 4 Thanh 5 Hoàng 3.5 Lê 2.6 Huỳnh 0.8 Kim 2.7 Hồng 2.7 Trần 2.4 Phương 2.6 Thu
2.2 Mỹ 1.8 Thùy 1.6 Thúy 1.5 Bảo 2.2 Khánh 2 Minh 2 Hoài 1.8 Quỳnh 1.8 Diệu 1.7 Cẩm 1.2 Bích 1.5 Hải 1.5 Tuyết 1
Như 1.6 Gia 1.2 Tường 0.7 Anh 1 Hà 1 Mai 1 Ánh 1 Lan 0.8 Xuân 1 Nhật 0.8 Thảo 0.8 Vân 0.6 Trúc 0.5 Yến 0.6 Linh
0.6"""
_SECOND_WOMEN = """Thanh 9 Thu 8 Kim 6 Ngọc 8 Hồng 7 Mỹ 6 Minh 4 Thúy 4 Thùy 4 Phương 4 Bích 4 Xuân 3.5 Hoài 4
Lan 2 Cẩm 3 Tuyết 2.5 Diệu 3.5 Hải 2.5 Quỳnh 2.5 Kiều 2 Mai 1.8 Ánh 2 Như 2.4 Khánh 2.2 Thảo 1.2 Vân 1 Hà 1 Anh
1 Lệ 1.5 Mộng 0.4 Trà 1 Yến 0.8 Hương 0.6 Nhật 1 Tố 0.6 Châu 0.3 Bảo 0.6 Cát 0.3 Huyền 0.5 Tú 0.4"""
_GIVEN_MEN = """Huy 3 Tuấn 2 Đạt 2 Duy 2 Hiếu 2 Anh 1.8 Minh 1.7 Nam 1.7 Long 1.7 Bảo 1.5 Phúc 1.4 Hoàng 1.4
Khoa 1.3 Đức 1.3 Tiến 1.3 Trung 1.3 Nhân 1.3 Thành 1.3 Sơn 1.2 Khang 1.2 Thắng 1.2 Tài 1.2 Thịnh 1.1 Cường 1.1
Quang 1.1 Hùng 1 Hưng 1 Vũ 1 Khánh 1 Hải 1 Phong 1 Quân 1 Kiên 0.9 Dũng 0.9 Lộc 0.9 Phát 0.9 Thiện 0.9 Trí 0.9
Khôi 0.8 Linh 0.8 Nghĩa 0.8 Tân 0.8 Toàn 0.8 Tú 0.8 Việt 0.8 Vinh 0.8 Đông 0.7 Hậu 0.7 Hào 0.7 Nguyên 0.7 Nhật
0.7 Phú 0.7 Phước 0.7 Quý 0.7 Tâm 0.7 Thái 0.7 Trường 0.7 Vương 0.6 Bình 0.6 Công 0.6 Danh 0.6 Đăng 0.6 Định 0.5
Giang 0.5 Hòa 0.5 Khải 0.5 Kỳ 0.4 Lâm 0.6 Luân 0.5 Lực 0.4 Mạnh 0.5 Ngọc 0.4 Nhã 0.3 Pháp 0.3 Quyền 0.4 Quyết
0.4 Sang 0.6 Sinh 0.3 Sỹ 0.3 Tính 0.3 Tình 0.3 Thông 0.5 Thuận 0.5 Thức 0.3 Triều 0.3 Trọng 0.5 Tùng 0.6 Tuyên
0.3 Văn 0.3 Vĩ 0.3 Viên 0.2 Ý 0.2 Chiến 0.4 Chung 0.3 Dương 0.6 Hiển 0.3 Hiệp 0.4 Lợi 0.4 Mẫn 0.2 Nhựt 0.1 Thạch
0.2 Thân 0.2 Thanh 0.7 Toản 0.3 Vỹ 0.3 Bách 0.2 Chính 0.3"""
_GIVEN_WOMEN = """Linh 3 Thảo 3 Nhi 2.8 Trang 2.8 Anh 2.7 Ngân 2.5 Ngọc 2 Như 2 Thư 1.9 Vy 1.8 Duyên 1.8 Hương
1.6 Phương 1.6 Hằng 1.5 Trinh 1.5 Yến 1.5 Hiền 1.4 Huyền 1.4 Hà 1.4 Trâm 1.4 Nhung 1.3 Quỳnh 1.3 Tiên 1.3 Vân
1.2 Dung 1.2 Uyên 1.2 Mai 1.1 My 1.1 Hạnh 1 Nga 0.9 Thanh 0.9 Tuyền 0.9 Lan 0.8 Ly 0.9 Loan 0.8 Thúy 0.8 Thủy
0.8 Thương 0.8 Hân 0.8 Chi 0.8 Châu 0.7 Diễm 0.6 Giang 0.8 Hoa 0.6 Hồng 0.6 Khánh 0.6 Lam 0.3 Lệ 0.4 Liên 0.5
Liễu 0.4 Lý 0.3 Minh 0.5 Mỹ 0.5 Nguyên 0.6 Nguyệt 0.6 Oanh 0.7 Phượng 0.8 Quyên 0.7 Sương 0.6 Tâm 0.7 Thắm 0.5
Thi 0.5 Thơ 0.4 Thu 0.6 Thùy 0.6 Tình 0.4 Trà 0.4 Trúc 0.5 Tú 0.4 Tuyết 0.6 Vi 0.5 Xuân 0.4 Ý 0.3 Ánh 0.5 Bình
0.3 Cúc 0.3 Đào 0.3 Diệu 0.5 Hậu 0.4 Hòa 0.4 Huệ 0.6 Na 0.3 Ny 0.4 Phúc 0.3 Phước 0.2 Thoa 0.4 Thuận 0.3 Thêm
0.1 Tuyên 0.1 Viên 0.1 Băng 0.2 Chung 0.2 Cẩm 0.2"""
_OLD_MEN = """Hùng 3 Dũng 2.6 Sơn 2.6 Thành 2.4 Bình 2.4 Hải 2.2 Minh 2.2 Tâm 1.8 Hòa 1.8 Lợi 1.6 Thanh 2 Tuấn
1.4 Cường 1.4 Long 1.3 Lộc 1.3 Phúc 1.2 Phước 1.1 Quang 1.2 Thắng 1.3 Thọ 1.1 Trung 1 Đức 1.1 Hưng 1 Hiền 1 Hồng
1 Khánh 1 Lai 0.7 Lâm 0.8 Lành 0.5 Liêm 0.6 Linh 0.9 Lương 0.7 Mẫn 0.5 Mạnh 0.6 Mậu 0.5 Mười 0.5 Năm 0.6 Nam 0.9
Nghĩa 0.8 Ngọc 0.9 Nhân 0.6 Ninh 0.4 Phú 0.7 Quý 0.8 Quyết 0.5 Sinh 0.6 Sáu 0.4 Sĩ 0.5 Tân 0.8 Tấn 0.6 Thân 0.6
Thái 0.7 Thảo 0.5 Thìn 0.4 Thuận 0.8 Tiến 0.9 Tình 0.6 Toàn 0.6 Toản 0.4 Tư 0.5 Tường 0.4 Vinh 0.8 Việt 0.5 Xuân
0.7 Bảy 0.4 Ba 0.4 Chiến 0.7 Chính 0.5 Chung 0.4 Công 0.6 Cảnh 0.5 Cầu 0.3 Dần 0.3 Diện 0.3 Đáng 0.2 Đạt 0.5
Điểu 0.1 Đông 0.5 Đồng 0.3 Được 0.2 Hiếu 0.6 Hòe 0.2 Hoàn 0.4 Hoàng 0.6 Huấn 0.4 Huệ 0.3 Huế 0.2 Hữu 0.4 Khả 0.2
Khoa 0.3 Kỳ 0.3 Lập 0.4 Lưu 0.3 Mai 0.3 Ngãi 0.2 Nhơn 0.3 Nuôi 0.2 Phong 0.6 Phương 0.7 Quế 0.3 San 0.2 Sung 0.2
Thí 0.2 Thời 0.2 Thiện 0.5 Thông 0.5 Thức 0.3 Trí 0.5 Tý 0.4 Tỵ 0.2 Út 0.3 Vệ 0.2 Vọng 0.2 Vui 0.2 Xê 0.1 Yên
0.2"""
_OLD_WOMEN = """Lan 2.8 Hoa 2.6 Hồng 2.3 Hương 2.1 Nga 1.9 Thủy 1.8 Liên 1.8 Tâm 1.7 Bé 0.8 Gái 0.9 Lý 1 Xuân 1
Hà 1.6 Hiền 1.5 Thanh 1.5 Hạnh 1.4 Mai 1.4 Cúc 1.1 Huệ 1.1 Loan 1.2 Yến 1 Phượng 1 Nguyệt 1 Sen 0.8 Thảo 1 Tuyết
1 Vân 1.1 Thu 1.1 Bình 0.9 Bưởi 0.2 Bốn 0.2 Ba 0.3 Chanh 0.2 Chiến 0.3 Chút 0.2 Con 0.3 Dung 0.7 Đào 0.6 Diệu
0.4 Em 0.3 Giỏ 0.1 Hảo 0.5 Hằng 0.7 Hòa 1 Hường 0.7 Khương 0.2 Lành 0.6 Lài 0.4 Lê 0.3 Lệ 0.6 Liễu 0.7 Luyến 0.4
Lựu 0.4 Mận 0.4 Minh 0.7 Mùi 0.3 Mười 0.4 Mỹ 0.6 Năm 0.4 Ngọc 0.6 Nhàn 0.5 Nhung 0.5 Nở 0.2 Nuôi 0.2 Oanh 0.4
Phước 0.4 Phương 0.8 Quế 0.3 Quý 0.4 Quyên 0.3 Sáu 0.4 Sửu 0.2 Tám 0.3 Tân 0.2 Thắm 0.4 Thân 0.3 Thể 0.2 Thí 0.2
Thiện 0.3 Thơ 0.3 Thơm 0.5 Thời 0.2 Thoa 0.4 Thuận 0.5 Thúy 0.8 Thương 0.3 Thí 0 Tình 0.5 Trâm 0.3 Trang 0.4
Tuyền 0.2 Tý 0.4 Vinh 0.4 Vui 0.3 Xê 0.1 Xoa 0.1 Ánh 0.4 Ái 0.3 Út 0.4"""
_MINORITY_GIVEN = """Ăm 2 Ăng 2 Ành 2 Cu 1 Kăn 2 Khơi 2 Pả 2 Lơi 2 Thơn 2 Vai 2 Xa 2 Nhơi 2 Pỉ 2 Tăng 2 Mơn 2
Thoan 1 Thăng 1 Thương 2 Hương 2 Lan 1 Hùng 1 Hoa 1 Minh 1 Nam 1 Ngọt 1 Lẻn 1 Rễ 1 Rươi 1 Xuôi 1 Xung 1 Xăng 1
Sen 1 Sáo 1 Năng 1 Mốt 1 Môn 1 Lăng 1 Lành 1 Kray 1 Kham 1 Hiêng 1 Giang 1 Đeng 1 Diên 1 Cừ 1 Chiêng 1 Bường 1
Âm 1 Aroi 1 Aviết 1 Tơm 1 Ra 1 Ta 1"""
_SOUTHERN = """Hoàng Huỳnh|Vũ Võ|Phúc Phước|Nhân Nhơn|Chính Chánh|Cảnh Kiểng|Sơn San|Thời Thì|Bảo Bửu|Tôn Tông|
Nghĩa Ngãi|Lĩnh Lãnh|Trường Tràng|Sinh Sanh|Đức Đước|Thịnh Thạnh|Tính Tánh"""


@dataclass(frozen=True)
class WordList:
    """Words with their shares."""

    codes: Ints
    shares: Floats

    def draw(self, rng: Rng, size: int) -> Ints:
        """Word codes drawn by share."""
        return rng.choice(self.codes, size=size, p=self.shares)


def _parse(text: str) -> list[tuple[str, float]]:
    tokens = text.split()
    return [(word, float(share)) for word, share in zip(tokens[::2], tokens[1::2], strict=True)]


_LISTS = {
    "surnames": _SURNAMES, "minority_surnames": _MINORITY_SURNAMES, "middles_men": _MIDDLES_MEN,
    "middles_women": _MIDDLES_WOMEN, "second_women": _SECOND_WOMEN, "given_men": _GIVEN_MEN,
    "given_women": _GIVEN_WOMEN, "old_men": _OLD_MEN, "old_women": _OLD_WOMEN, "minority_given": _MINORITY_GIVEN,
}  # fmt: skip
_PAIRS = [pair.split() for pair in _SOUTHERN.replace("\n", "").split("|")]
_TRUE_WORDS = list(
    dict.fromkeys(
        ["", "Văn", "Thị", *(w for text in _LISTS.values() for w, _ in _parse(text)), *chain.from_iterable(_PAIRS)]
    )
)

_HOI, _NGA, _TONES = "\u0309", "\u0303", "\u0300\u0301\u0303\u0309\u0323"
_INITIALS = [("S", "X"), ("X", "S"), ("Tr", "Ch"), ("Ch", "Tr"), ("Gi", "D"), ("D", "Gi"), ("V", "D"), ("Nh", "D")]
_FINALS = [("ng", "n"), ("n", "ng"), ("t", "c"), ("c", "t")]


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _tone_swaps(word: str) -> list[str]:
    parts = unicodedata.normalize("NFD", word)
    swapped = parts.translate({ord(_HOI): _NGA, ord(_NGA): _HOI})
    untoned = "".join(c for c in parts if c not in _TONES)
    bare = fold_case_kept(word)
    return [_nfc(swapped)] * 5 + [_nfc(untoned)] * 3 + [bare] * 2


def _sound_swaps(word: str) -> list[str]:
    starts = [new + word[len(old) :] for old, new in _INITIALS if word.startswith(old) and word[len(old) :][:1] != "h"]
    ends = [word[: -len(old)] + new for old, new in _FINALS if word.endswith(old) and len(word) > len(old) + 1]
    hats = [
        _nfc(unicodedata.normalize("NFD", word).replace(a, b, 1))
        for a, b in (("o\u031b", "o\u0302"), ("o\u0302", "o\u031b"))
    ]
    return starts[:1] + ends[:1] * 2 + hats


def accent_variants(word: str) -> list[str]:
    """Ways a word is misheard or loses an accent, the likelier ones repeated."""
    return [v for v in _tone_swaps(word) + _sound_swaps(word) if v not in (word, "")]


def fold_case_kept(text: str) -> str:
    """Text without its accents, letters in their case."""
    parts = unicodedata.normalize("NFD", text).replace("đ", "d").replace("Đ", "D")
    return "".join(c for c in parts if not unicodedata.combining(c))


def spelling_variant(word: str) -> str:
    """The same word with its tone mark on the other vowel, or y for i; the word itself where there is no choice."""
    parts = unicodedata.normalize("NFD", word)
    tone = next((c for c in parts if c in _TONES), "")
    plain = _nfc(parts.replace(tone, "")) if tone else word
    if tone and plain[-2:].lower() in ("oa", "oe", "uy") and plain[:2].lower() != "qu":
        return _nfc(plain + tone) if _nfc(plain + tone) != word else word
    if plain.lower() in ("my", "ly", "ky", "sy", "ty", "vy", "quy", "hy", "thy"):
        return _nfc(plain[:-1] + "i" + tone)
    if plain.lower() in ("si", "vi", "ti"):
        return _nfc(plain[:-1] + "y" + tone)
    return word


_VARIANTS = {word: accent_variants(word) for word in _TRUE_WORDS}
WORDS = list(
    dict.fromkeys([*_TRUE_WORDS, *chain.from_iterable(_VARIANTS.values()), *map(spelling_variant, _TRUE_WORDS)])
)
CODE = {word: code for code, word in enumerate(WORDS)}
LISTS = {
    name: WordList(
        np.array([CODE[w] for w, _ in _parse(text)]), (s := np.array([p for _, p in _parse(text)])) / s.sum()
    )
    for name, text in _LISTS.items()
}
_WIDTH = 12
ACCENTS = np.array(
    [[CODE[(_VARIANTS.get(w) or [w])[k % len(_VARIANTS.get(w) or [w])]] for k in range(_WIDTH)] for w in WORDS]
)
SPELLING = np.array([CODE.get(spelling_variant(w), CODE[w]) for w in WORDS])
_TURN = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}
OTHER = np.array([CODE[_TURN.get(w, w)] for w in WORDS])
VAN, THI = CODE["Văn"], CODE["Thị"]


def codes(name: str) -> list[int]:
    """The word codes of a written name."""
    return [CODE[word] for word in name.split()]


def text_of(names: Ints) -> pl.Series:
    """Names as text; words that are absent leave no blank."""
    words = pl.Series("word", [None, *WORDS[1:]], dtype=pl.String)
    parts = pl.DataFrame([words.gather(names[:, k]).alias(f"w{k}") for k in range(names.shape[1])])
    return parts.select(pl.concat_str(pl.all(), separator=" ", ignore_nulls=True)).to_series()


def surnames(rng: Rng, minority: Flags) -> Ints:
    """Surnames of people whose fathers are not known."""
    size = len(minority)
    return np.where(minority, LISTS["minority_surnames"].draw(rng, size), LISTS["surnames"].draw(rng, size))


def _given(rng: Rng, men: Flags, birth: Ints, minority: Flags) -> Ints:
    size = len(men)
    old = rng.random(size) < np.clip((1992 - birth) / 40, 0.04, 0.96)
    modern = np.where(men, LISTS["given_men"].draw(rng, size), LISTS["given_women"].draw(rng, size))
    older = np.where(men, LISTS["old_men"].draw(rng, size), LISTS["old_women"].draw(rng, size))
    kinh = np.where(old, older, modern)
    return np.where(minority & (rng.random(size) < 0.85), LISTS["minority_given"].draw(rng, size), kinh)


def _middles_of_men(rng: Rng, birth: Ints) -> tuple[Ints, Ints]:
    size = len(birth)
    van = rng.random(size) < np.interp(birth, [1950, 1962, 1985, 2000], [0.48, 0.40, 0.20, 0.10])
    first = np.where(van, VAN, LISTS["middles_men"].draw(rng, size))
    longer = rng.random(size) < np.interp(birth, [1960, 2000], [0.05, 0.13])
    second = np.where(longer, LISTS["middles_men"].draw(rng, size), 0)
    return np.where(rng.random(size) < 0.02, 0, first), second


def _middles_of_women(rng: Rng, birth: Ints) -> tuple[Ints, Ints]:
    size = len(birth)
    thi = rng.random(size) < np.interp(birth, [1960, 1975, 1990, 2000, 2015], [0.90, 0.84, 0.72, 0.63, 0.48])
    first = np.where(thi, THI, LISTS["middles_women"].draw(rng, size))
    longer = rng.random(size) < np.interp(birth, [1955, 1975, 1995], [0.16, 0.38, 0.68])
    return np.where(rng.random(size) < 0.01, 0, first), np.where(longer, LISTS["second_women"].draw(rng, size), 0)


def draw_names(rng: Rng, surname: Ints, men: Flags, birth: Ints, minority: Flags) -> Ints:
    """Full names for people of known surname, sex, year of birth and people."""
    man_first, man_second = _middles_of_men(rng, birth)
    woman_first, woman_second = _middles_of_women(rng, birth)
    first, second = np.where(men, man_first, woman_first), np.where(men, man_second, woman_second)
    usual = np.where(men, VAN, THI)
    short = minority & (rng.random(len(men)) < 0.4)
    first = np.where(short, 0, np.where(minority & (rng.random(len(men)) < 0.85), usual, first))
    second = np.where(minority | (first == 0), 0, second)
    given = _given(rng, men, birth, minority)
    repeated = (given == second) | (given == first)
    return np.stack([surname, first, second, np.where(repeated, _given(rng, men, birth, minority), given)], axis=1)


# --- misspelling -----------------------------------------------------------------------------------------------------


def misspell_accent(rng: Rng, names: Ints) -> Ints:
    """One word of each name with a wrong or missing accent; given names and middle words more often than surnames."""
    place = rng.choice(4, size=len(names), p=[0.2, 0.2, 0.15, 0.45])
    changed = _changed_at(
        names, place, ACCENTS[names[np.arange(len(names)), place], rng.integers(0, _WIDTH, len(names))]
    )
    again = (changed == names).all(axis=1)
    for k in (3, 0, 1):
        changed[again] = _changed_at(names[again], np.full(again.sum(), k), ACCENTS[names[again, k], 0])
        again = (changed == names).all(axis=1)
    return changed


def _changed_at(names: Ints, place: Ints, words: Ints) -> Ints:
    changed = names.copy()
    changed[np.arange(len(names)), place] = words
    return changed


def respell(names: Ints) -> Ints:
    """Every word in its other accepted spelling."""
    return np.asarray(SPELLING[names])


def lose_or_add_word(rng: Rng, names: Ints, men: Flags) -> Ints:
    """The last middle word dropped, or Văn or Thị put in where there is no middle word or one more fits."""
    changed = names.copy()
    rows = np.arange(len(names))
    last_middle = np.where(names[:, 2] > 0, 2, 1)
    drop_first = (names[:, 2] > 0) & (rng.random(len(names)) < 0.5)
    usual = np.where(men, VAN, THI)
    add = (names[:, 1] == 0) | ((names[:, 2] == 0) & (names[:, 1] != usual) & (rng.random(len(names)) < 0.5))
    changed[rows[~add], last_middle[~add]] = 0
    changed[drop_first, 1], changed[drop_first, 2] = names[drop_first, 2], 0
    changed[add, 2], changed[add, 1] = names[add, 1], usual[add]
    return changed


def other_name(rng: Rng, names: Ints, men: Flags) -> Ints:
    """A southern or avoided form of one word where the name has one; otherwise the given name used at home."""
    turned = OTHER[names]
    able = turned != names
    place = np.where(able[:, 3], 3, np.argmax(able, axis=1))
    size = len(names)
    home = np.where(men, LISTS["old_men"].draw(rng, size), LISTS["old_women"].draw(rng, size))
    word = np.where(able.any(axis=1), turned[np.arange(size), place], home)
    return _changed_at(names, np.where(able.any(axis=1), place, 3), word)
