"""The words of an owner cell that are not names: honorifics, family words, marks, organisations.

Rules
- A phrase is written here with its marks. A text word matches it when equal with marks, or when the text word has
  no marks at all and is equal without them ("ho ong" matches "hộ ông", "Hồ" never matches "hộ").
- What a phrase means is a `Mark`; whether it counts at its place is for `owner_text` to say.

>>> longest_phrase(PHRASES, [word_forms("Những"), word_forms("người"), word_forms("thừa"), word_forms("kế")], 0)
(Mark(kind='heirs', value=''), 4)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from linkage.normalise.names import fold, key_word


class Mark(NamedTuple):
    """What a phrase means: its kind, and a value such as the sex it tells."""

    kind: str
    value: str = ""


class WordForms(NamedTuple):
    """A word as key (lower case, canonical) and without marks; `marked` where they differ."""

    key: str
    folded: str
    marked: bool


@lru_cache(maxsize=1 << 17)
def word_forms(word: str) -> WordForms:
    """The forms by which a word is compared to a phrase."""
    key = key_word(word)
    folded = fold(key)
    return WordForms(key, folded, key != folded)


class _Phrase(NamedTuple):
    keys: tuple[str, ...]
    folded: tuple[str, ...]
    mark: Mark


Phrases = Mapping[str, Sequence[_Phrase]]


def _phrases(table: Iterable[tuple[Mark, str]]) -> Phrases:
    """Phrases by the folded first word, longest first; in the table they stand apart by commas."""
    found: dict[str, list[_Phrase]] = {}
    for mark, texts in table:
        for text in texts.replace("\n", " ").split(","):
            keys = tuple(key_word(w) for w in text.split())
            folded = tuple(fold(k) for k in keys)
            found.setdefault(folded[0], []).append(_Phrase(keys, folded, mark))
    return {first: sorted(rows, key=lambda p: -len(p.keys)) for first, rows in found.items()}


def _matches(phrase: _Phrase, words: Sequence[WordForms], at: int) -> bool:
    if at + len(phrase.keys) > len(words):
        return False
    for offset, key in enumerate(phrase.keys):
        word = words[at + offset]
        if word.key != key and (word.marked or word.folded != phrase.folded[offset]):
            return False
    return True


def phrases_at(phrases: Phrases, words: Sequence[WordForms], at: int) -> list[tuple[Mark, int]]:
    """The phrases that begin at a word, longest first, each with its length in words."""
    found = phrases.get(words[at].folded)
    return [(p.mark, len(p.keys)) for p in found if _matches(p, words, at)] if found else []


def longest_phrase(phrases: Phrases, words: Sequence[WordForms], at: int) -> tuple[Mark, int] | None:
    """The longest phrase that begins at a word, and its length in words; None where there is none."""
    found = phrases_at(phrases, words, at)
    return found[0] if found else None


def _heir_phrases() -> tuple[str, str]:
    """All ways to say "heirs", and "heirs of"."""
    heads = ["", "những ", "các ", "đại diện ", "đại diện các ", "đại diện những ", "và các ", "cùng các "]
    whos = ["người được ", "người ", "người nhận ", "người hưởng ", "đồng ", "hàng ", "người đồng ", ""]
    tails = ["", " quyền sử dụng đất", " theo pháp luật", " qsdđ"]
    plain = [f"{head}{who}thừa kế{tail}" for head in heads for who in whos for tail in tails]
    return ",".join(plain), ",".join(f"{p} của" for p in plain)


_HEIRS, _HEIRS_OF = _heir_phrases()

PHRASES: Final = _phrases(
    (
        (Mark("honorific", "M"), "ông,cụ ông,anh,ô"),
        (Mark("honorific", "F"), "bà,cụ bà,chị,b,sư cô,ni sư,ni cô"),
        (Mark("honorific"), "cụ,ông bà,anh chị,linh mục,mục sư,đại đức,thượng tọa,hòa thượng,sư thầy"),
        (Mark("household"), "hộ,hộ gia đình,gia đình,hgđ,hộ gđ,gđ,hộ gia đình ông bà"),
        (Mark("head"), "chủ hộ,chủ hộ là,tên chủ hộ,đại diện hộ,đại diện hộ gia đình"),
        (Mark("spouse", "F"), "vợ,vợ là,có vợ,có vợ là,và vợ,và vợ là,cùng vợ,cùng vợ là,với vợ,với vợ là,tên vợ"),
        (Mark("spouse", "M"), "chồng,chồng là,có chồng,có chồng là,và chồng,và chồng là,cùng chồng,cùng chồng là,với chồng,tên chồng"),
        (Mark("couple"), "vợ chồng,hai vợ chồng,và hai vợ chồng"),
        (Mark("and"), "và,cùng,với,cùng với,và cùng"),
        (
            Mark("co_owner"),
            "đồng sử dụng,đồng sử dụng với,đồng sử dụng đất,đồng sở hữu,đồng sở hữu với,cùng sử dụng,cùng sử dụng đất,"
            "người đồng sử dụng,những người đồng sử dụng,các đồng sử dụng,đồng chủ sử dụng,các đồng sở hữu,"
            "cùng sử dụng đất với,và những người khác,cùng những người khác,nhóm người sử dụng đất,và các đồng sử dụng",
        ),
        (
            Mark("member"),
            "các con,cùng các con,và các con,các con là,con,con trai,con gái,con là,và con,và con là,cháu,các cháu,và cháu,"
            "các thành viên,thành viên,cùng các thành viên,các thành viên trong hộ,em,em trai,em gái,mẹ,bố,cha,và mẹ,và em,"
            "mẹ là,cùng con,cùng con trai,cùng con gái,và con trai,và con gái,con dâu,con rể",
        ),
        (Mark("heirs"), _HEIRS),
        (Mark("heirs_of"), _HEIRS_OF),
        (
            Mark("death"),
            "đã chết,đã mất,chết,đã qua đời,qua đời,đã từ trần,từ trần,quá cố,đã hy sinh,chết năm,mất năm,đã chết năm,"
            "đã mất năm,mất,đã chết ngày,mất ngày,chết ngày,do chết,do đã chết,đc chết,đ c chết",
        ),
        (
            Mark("birth"),
            "sinh năm,năm sinh,sn,s n,ns,n s,sinh ngày,ngày sinh,ngày tháng năm sinh,sinh,sinh ngày tháng năm,ngày năm sinh",
        ),
        (
            Mark("id"),
            "cmnd,cmnd số,số cmnd,cmt,cmt số,số cmt,cmtnd,cmtnd số,gcmnd,cccd,cccd số,số cccd,số đdcn,đdcn,đdcn số,"
            "số định danh,số định danh cá nhân,mã định danh,mã định danh cá nhân,định danh cá nhân,id,"
            "chứng minh nhân dân,chứng minh nhân dân số,giấy chứng minh nhân dân,giấy chứng minh nhân dân số,"
            "chứng minh thư,chứng minh thư số,chứng minh thư nhân dân,chứng minh,căn cước công dân,"
            "căn cước công dân số,thẻ căn cước công dân,thẻ căn cước,thẻ căn cước số,căn cước,căn cước số,số căn cước,"
            "thẻ cccd,số chứng minh nhân dân,số chứng minh thư,số căn cước công dân,cc,cm,cmsq,cmqđ,số",
        ),
        (
            Mark("label"),
            "chủ sử dụng,chủ sử dụng đất,người sử dụng đất,họ và tên,họ tên,tên chủ,tên chủ sử dụng,chủ sở hữu,tên chủ sử dụng đất,"
            "họ tên chủ sử dụng,tên người sử dụng đất,chủ đất,các ông bà",
        ),
        (Mark("tax"), "mst,mã số thuế,mã số doanh nghiệp,msdn,mã số dn,gpkd,đkkd"),
        (
            Mark("representative"),
            "người đại diện,đại diện,người đại diện là,đại diện là,người đại diện theo pháp luật,"
            "đại diện theo pháp luật,đại diện pháp luật,người đại diện hộ,làm đại diện,là đại diện,là người đại diện,"
            "người đứng tên,đứng tên,đại diện bởi,do,đại diện theo ủy quyền,người được ủy quyền,người đại diện theo ủy quyền",
        ),
        (
            Mark("aside"),
            "địa chỉ,địa chỉ thường trú,thường trú,thường trú tại,trú tại,cư trú,cư trú tại,hộ khẩu,hộ khẩu thường trú,hktt,chỗ ở,"
            "nơi ở,ở tại,cấp ngày,ngày cấp,nơi cấp,cấp,cấp tại,quê quán,thôn,xóm,xã,huyện,tỉnh,khu phố,tổ dân phố,tdp,"
            "điện thoại,sđt,đt,tức,tên gọi khác,tên thường gọi,còn gọi là,tên khác,còn gọi,hộ chiếu,hộ chiếu số,chức vụ,giám đốc,"
            "dân tộc,quốc tịch,giới tính,nghề nghiệp,thôn trưởng,trưởng thôn,chủ tịch,phường,thị trấn,đường",
        ),
    )
)

BODIES: Final = _phrases(
    (
        (
            Mark("organisation"),
            "công ty,cty,c ty,công ti,tổng công ty,hợp tác xã,htx,ubnd,ủy ban,ủy ban nhân dân,hđnd,hội đồng nhân dân,"
            "trường thcs,trường th,trường thpt,trường tiểu học,trường trung học,trường mầm non,trường mẫu giáo,trường đại học,"
            "trường cao đẳng,trường học,trường dân tộc,trường phổ thông,trường chính trị,trường ptdt,trường ptcs,trường mn,"
            "trường trung cấp,trường dạy,trường cấp,trường bán công,trường phổ,trường pt,nhà trẻ,trạm y tế,trạm,trạm xá,trạm bơm,"
            "trạm điện,trạm kiểm,trạm biến,ngân hàng,chi cục,chi nhánh,bưu điện,bưu cục,bệnh viện,trung tâm,doanh nghiệp,dntn,"
            "tập đoàn,xí nghiệp,nhà máy,nông trường,lâm trường,ban quản lý,bql,ban chỉ huy,bộ chỉ huy,bch,công an,sở,"
            "sở nông,sở tài,sở xây,sở y,sở giáo,phòng,phòng giáo,phòng tài,phòng nông,cục,cục thuế,cục hải,tòa án,viện kiểm sát,"
            "viện,hội nông dân,hội phụ nữ,hội cựu,hội liên,hội chữ,hội người,hội đồng,đảng ủy,huyện ủy,tỉnh ủy,thị ủy,thành ủy,mặt trận,"
            "ủy ban mặt trận,liên đoàn,đoàn thanh niên,quỹ tín dụng,quỹ,kho bạc,bảo hiểm xã hội,bhxh,điện lực,viễn thông,"
            "đồn biên phòng,bộ đội,hạt kiểm lâm,hạt,khách sạn,cơ sở,nhà khách,kho,cửa hàng,trại giam,trang trại,vườn quốc gia,"
            "khu bảo tồn,khu di tích,thi hành án,đài phát thanh,đài truyền,đài,bộ quốc phòng,bộ,văn phòng,tổng cục,nhà xuất,tổ hợp tác,"
            "hiệp hội,liên hiệp,liên minh,câu lạc bộ,ban qldtxd,ban chqs,ban qlda,đội thuế,đội quản,tnhh,cp,"
            "trung đoàn,sư đoàn,lữ đoàn,tiểu đoàn,quân khu,tổ chức,nhà nước,ủy quyền,trường mầm,trường mẫu,trường tiểu,trường trung",
        ),
        (
            Mark("community"),
            "cộng đồng,cộng đồng dân cư,cđdc,thôn,bản,làng,xóm,khu phố,tổ dân phố,tdp,khóm,ấp,đội sản xuất,nhà văn hóa,nhà sinh hoạt,"
            "nhà cộng đồng,dòng họ,họ tộc,tộc họ,tộc,chi họ,họ,khu dân cư,nhà rông,nhà dài,hợp tự,nghĩa trang,nghĩa địa,tổ tự quản,"
            "dân cư,ban công tác mặt trận,cụm dân cư,hội đồng gia tộc,nhân dân thôn,nhân dân",
        ),
        (
            Mark("religious"),
            "chùa,giáo xứ,giáo họ,nhà thờ,nhà thờ họ,đình,đình làng,miếu,miếu thờ,đền,đền thờ,am,phủ,tu viện,dòng tu,dòng mến,dòng,"
            "hội thánh,hội thánh tin lành,tòa giám mục,tòa thánh,niệm phật đường,phật đường,npđ,tịnh xá,thiền viện,tịnh thất,thánh thất,"
            "giáo phận,giáo hạt,ban trị sự,ban hộ tự,gia đình phật tử,khuôn hội,nhà nguyện,chi hội tin lành,đan viện,họ đạo,"
            "giáo hội,hội dòng,cộng đoàn,linh mục,nhà xứ,nhà dòng,học viện công giáo,ban đại diện hội thánh,họ giáo,giáo khu",
        ),
    )
)

#: Body words that are also surnames or name words: they need the mark, and no văn or thị after them.
NEED_MARKS: Final = frozenset(
    ("ban", "lang", "am", "dinh", "den", "phu", "chua", "mieu", "dong", "toc", "ho", "so", "vien", "phong", "cuc", "kho", "dai",
     "tram", "hat", "bo", "quy", "ap", "thon", "khom", "xom", "vo", "cp", "th")
)  # fmt: skip

JUNK: Final = frozenset(
    """chua ro|chua xac dinh|khong ro|khong xac dinh|khong xac dinh duoc|khong co|chua co|vo chu|n a|na|null|none|nan|tong cong|cong|tong|
ref|name|value|div 0|khong|khong ten|chua biet|chua dang ky|chua ro chu|khong ro chu|dat vo chu|chua quy chu|chua ro chu su dung|
khong ro chu su dung|chua co thong tin|khong co thong tin|trong|bo trong|x|xx|xxx|stt|ho va ten|ho ten|ten chu|cong trang|
tong so|dat chua giao|chua cap|dat cong|chua ke khai|chua xac dinh chu|unknown|chua co ten|chua co chu|khong co ten|
dat chua su dung|tong cong chung|chua ro ten|chua""".replace("\n", "").split("|")
)

SURNAMES: Final = frozenset(
    """nguyen tran le pham hoang huynh phan vu vo dang bui do ho ngo duong ly truong doan dinh mai dao ha cao trinh luong lam luu
thai phung chau ta to van vuong tu cai tang hua quach tong thach kieu dam nghiem doan chu phi khuat lai lo luong quang cam tong
trieu ban dong mac la ninh bach khong giap vien cu dau kim sam vi nong hoa be ma ton ong ung tieu tiet than thieu thi than trang
tri tuong ung vang giang lu sung lau song cu thao hang phang chang danh son dien kha dieu k'su ksor nay siu rcom rah rmah kpa
nie mlo eban y a h k ro cil lieng bling zoram alang briu arat coor doi ung ca ke khieu lac lang lech luc luyen lanh nghe ngan nhan
nhu o on phuong quan que sa sai san tan tat thang thanh thuong tien tinh tong tra trung uong uy vac viet xa xin yen
diep dung bo bao bi binh can chieu chung co chuong cong dai dan diem diec doi giao hau hy kheu khong khu khuong kien
lieu loi lung luan man mau men nghi nham ngu ngac nhac nhat nhuong nuong phu pho phuc quoc sach sy tai tam te tham thap thinh thuc
toan ty van voong vien""".split()
)

MIDDLES: Final = frozenset(("van", "thi"))


def is_person_like(words: Sequence[WordForms]) -> bool:
    """True where two to seven words begin with a surname."""
    return 2 <= len(words) <= 7 and words[0].folded in SURNAMES  # noqa: PLR2004
