"""What a Vietnamese syllable is: initials × rhymes × tones, and where the tone mark stands.

Rules
- A syllable is an initial, a rhyme and one of six tones; a rhyme that ends in c, ch, p or t takes only sắc or nặng.
- k, gh and ngh stand before e, ê, i, y; c, g and ng before the rest. `qu` and `gi` are initials.
- The mark stands in the old style (hòa, thúy); the new style (hoà, thuý) and slips (qúy) are recognised, then moved.
- `COMMON` lists syllables frequent in names and addresses. It settles ties only, never what is valid.

>>> is_syllable("nguyễn"), is_syllable("nguyôn"), is_plain_syllable("nguyen")
(True, False, True)
>>> place_tone("hoa", HUYEN), canonical_syllable("qúy"), canonical_syllable("thuỷ")
('hòa', 'quý', 'thủy')
"""

# ruff: noqa: SIM905 - rhymes and words read better as text than as quoted lists
from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

NO_TONE, HUYEN, HOI, NGA, SAC, NANG = range(6)
TWO_TONES: Final = -1
LONGEST_SYLLABLE: Final = 7  # nghiêng

VOWELS: Final = "aăâeêioôơuưy"
_SHAPED: Final = frozenset("ăâêôơư")
_TONE_MARKS: Final = ("", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323")
_TONED: Final = {v: tuple(unicodedata.normalize("NFC", v + mark) for mark in _TONE_MARKS) for v in VOWELS}
_UNTONED: Final = {c: (v, tone) for v, row in _TONED.items() for tone, c in enumerate(row)}

_LOWER: Final = "".join("".join(row) for row in _TONED.values()) + "đ"
#: Every letter outside ASCII that Vietnamese uses, both cases, precomposed.
VIETNAMESE_LETTERS: Final = "".join(sorted({c for c in _LOWER + _LOWER.upper() if ord(c) > 0x7F}))

_FOLD_TABLE: Final = str.maketrans(
    {c: unicodedata.normalize("NFD", c)[0] for c in VIETNAMESE_LETTERS if c not in "đĐ"} | {"đ": "d", "Đ": "D"}
)

_BACK_INITIALS: Final = ("", "b", "c", "ch", "d", "đ", "g", "h", "kh", "l", "m", "n", "ng", "nh",
                         "ph", "r", "s", "t", "th", "tr", "v", "x")  # fmt: skip
_FRONT_INITIALS: Final = ("", "b", "ch", "d", "đ", "gh", "h", "k", "kh", "l", "m", "n", "ngh", "nh",
                          "ph", "r", "s", "t", "th", "tr", "v", "x")  # fmt: skip
_NO_GLIDE: Final = frozenset(("b", "m", "ph", "v"))

_BACK_RHYMES: Final = """
a ai ay ao au am an ang anh ac ach at ap ăm ăn ăng ăc ăt ăp ây âu âm ân âng âc ât âp
o oi om on ong oc ot op oong ô ôi ôm ôn ông ôc ôt ôp ơ ơi ơm ơn ơt ơp
u ua ui um un ung uc ut up uôi uôm uôn uông uôc uôt ư ưa ưi ưu ưng ưc ưt ươi ươu ươm ươn ương ươc ươt ươp
""".split()
_FRONT_RHYMES: Final = """
e eo em en eng ec et ep ê êu êm ên ênh êch êt êp i y ia iu im in inh ich it ip iêu iêm iên iêng iêc iêt iêp
""".split()
_GLIDE_RHYMES: Final = """
oa oai oay oao oe oeo oan oang oanh oac oach oat oam oăn oăng oăc oăt oen oet
uê uênh uêch uây uân uâng uât uơ uy uya uyu uyên uyêt uynh uych uyt
""".split()
_BARE_Y_RHYMES: Final = "yêu yêm yên yêng yêt".split()
_QU_RHYMES: Final = """
a ai ay ao an ang anh ac ach at ăm ăn ăng ăc ăt ây âc ân ât âng e eo en et ê ên êt ênh êch y yên yêt ynh ych yt i
it inh ich ơ ơi ơn ôc ôi
""".split()
_BARE_GLIDES: Final = "oan oanh oai oăng oa oe uy uyên uyên uynh uân uât uât uyêt".split()
_STOPS: Final = ("c", "ch", "p", "t")


def _toneless_syllables() -> frozenset[str]:
    """Every valid syllable without its tone mark."""
    found = {i + r for i in _BACK_INITIALS for r in _BACK_RHYMES}
    found |= {i + r for i in _FRONT_INITIALS for r in _FRONT_RHYMES if i or not r.startswith("iê")}
    found |= {i + r for i in _BACK_INITIALS for r in _GLIDE_RHYMES if i and i not in _NO_GLIDE and i not in ("c", "g")}
    found |= {"gi" + r for r in (*_BACK_RHYMES, "e", "eo", "êng")} | {"gi", "gin", "gia", "giêt", "giêc", "giêm"}
    found |= {"qu" + r for r in _QU_RHYMES} | set(_BARE_Y_RHYMES) | set(_BARE_GLIDES) | {"góa", "goá", "goa", "bênh"}
    return frozenset(found)


_TONELESS: Final = _toneless_syllables()
_PLAIN: Final = frozenset(s.translate(_FOLD_TABLE) for s in _TONELESS)

COMMON: Final = frozenset(
    """
nguyễn trần lê phạm hoàng huỳnh phan vũ võ đặng bùi đỗ hồ ngô dương lý trương đoàn đinh mai đào hà cao trịnh lương
lâm lưu thái phùng châu tạ tô văn vương từ cái tăng hứa quách tống thạch kiều đàm nghiêm doãn chu phí khuất lại lò
lường quàng cầm tòng triệu bàn đồng mạc la ninh hạ bạch trà khổng la giáp viên cù đậu kim sầm vi nông hoa bế ma tôn
nữ thị ngọc thanh kim hồng phương thu mỹ thùy thúy bích xuân như minh quốc đức hữu thành quang tấn đình anh trung
công duy trọng bá sỹ đăng gia khắc viết tiến nhật hải huy tuấn đạt hiếu nam long bảo phúc phước khoa nhân sơn khang
thắng tài thịnh cường hùng hưng tùng dũng linh thảo nhi trang ngân thư vy duyên hương hằng trinh yến hiền huyền trâm
nhung quỳnh tiên vân dung uyên my hạnh nga tuyền bình tâm hòa lợi lan liên bé gái thủy thuận lộc thọ quý phú vinh vĩnh
hiệp hợp toàn tuyết nguyệt nhàn đông đường trường tường phượng lượng vượng sương thương chiến thắng quyết quyền kiên
chính chánh cảnh lành lực nghĩa nhơn đại điệp định diệu dinh giang hảo hậu hoài hội huệ khánh khương kỳ lệ loan luận
luyến mạnh mận mến mười năm sáu bảy tám chín một hai ba bốn muội nghị nhã nhâm nhiên ninh nở oanh phong phụng quân sang
sen sinh sáng tân tây thái thân thêm thi thiện thơ thoa thông thuật thức thủ tín tịnh tính toản tới trí triển trúc
trực tú tuân tuệ tý út ứng việt viễn vị xuyến ý yên ân ái ánh ấn bang bằng bường bưởi được đạo đệ điền độ đủ đương
thôn xã huyện tỉnh phường quận thị trấn thành phố tổ khu xóm bản đội ấp khóm đường số quảng trị đông lệ ninh trạch
triệu hướng hóa cam gio linh bố tuyên minh lộ hải lăng cồn cỏ kiến giang lao bảo khe sanh hộ gia đình ông
bà vợ chồng và đất cấp ngày nơi dân phố tây tiểu trung thượng hạ hậu tiền ngoài trong
""".split()
)


def split_tone(word: str) -> tuple[str, int]:
    """The lower-case word without its tone mark, and the tone (`TWO_TONES` where two letters carry one)."""
    letters, found = [], NO_TONE
    for c in word:
        base, tone = _UNTONED.get(c, (c, NO_TONE))
        if tone:
            found = tone if found == NO_TONE else TWO_TONES
        letters.append(base)
    return "".join(letters), found


def tone_position(toneless: str) -> int:
    """Index of the letter that carries the mark in the old style; -1 where there is no vowel."""
    size = len(toneless)
    start = 2 if toneless[:2] in ("qu", "gi") and size > 2 and toneless[2] in VOWELS else 0
    while start < size and toneless[start] not in VOWELS:
        start += 1
    end = start
    while end < size and toneless[end] in VOWELS:
        end += 1
    for index in range(end - 1, start - 1, -1):
        if toneless[index] in _SHAPED:
            return index
    span = end - start
    if span <= 1:
        return start if span else -1
    return start + 1 if span > 2 or end < size else start


def place_tone(toneless: str, tone: int) -> str:
    """The syllable with its tone mark in the old style."""
    at = tone_position(toneless)
    if tone <= NO_TONE or at < 0:
        return toneless
    return toneless[:at] + _TONED[toneless[at]][tone] + toneless[at + 1 :]


@lru_cache(maxsize=1 << 17)
def is_syllable(word: str) -> bool:
    """True where the lower-case NFC word is a Vietnamese syllable with its marks, wherever the tone mark stands."""
    if len(word) > LONGEST_SYLLABLE:
        return False
    toneless, tone = split_tone(word)
    if tone == TWO_TONES or toneless not in _TONELESS:
        return False
    return tone in (SAC, NANG) or not toneless.endswith(_STOPS)


def is_plain_syllable(word: str) -> bool:
    """True where the lower-case ASCII word is a Vietnamese syllable stripped of all marks."""
    return word in _PLAIN


@lru_cache(maxsize=1 << 17)
def canonical_syllable(word: str) -> str:
    """The lower-case syllable with its tone mark in the old place; another word comes back unchanged."""
    if len(word) > LONGEST_SYLLABLE:
        return word
    toneless, tone = split_tone(word)
    if tone <= NO_TONE or toneless not in _TONELESS:
        return word
    return place_tone(toneless, tone)


def is_settled(word: str) -> bool:
    """True where the lower-case word is Vietnamese as it stands, with or without its marks."""
    return word in _PLAIN if word.isascii() else is_syllable(word)


def is_common(word: str) -> bool:
    """True where the lower-case syllable is frequent in names and addresses, wherever its tone mark stands."""
    return word in COMMON or canonical_syllable(word) in COMMON


def strip_marks(text: str) -> str:
    """Precomposed Vietnamese letters → ASCII letters, case kept; everything else unchanged."""
    return text.translate(_FOLD_TABLE)
