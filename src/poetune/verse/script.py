"""Simplified and traditional Chinese, told apart by characters that only one of them has."""

# Traditional, then simplified; only pairs of which neither is written in the other script in its own right.
_PAIRS = (
    "這这個个們们來来國国說说會会對对學学時时為为風风長长聲声開开見见門门馬马鳥鸟夢梦燈灯書书詩诗頭头東东車车邊边還还過过遠远連连進进運运達达"
    "紅红綠绿絲丝經经縱纵結结給给絕绝統统線线義义習习聞闻聽听職职臉脸興兴舊旧舉举藍蓝蘭兰虛虚術术衛卫親亲覺觉觀观計计話话該该認认語语誰谁調调"
    "談谈請请論论謝谢識识證证譯译讀读變变讓让財财貧贫貴贵買买費费賞赏質质賴赖贈赠趕赶軍军軟软輕轻輪轮轉转辭辞農农選选鄉乡醫医釋释針针釣钓鈴铃"
    "銀银鐘钟鐵铁鏡镜閃闪閉闭間间關关陣阵陰阴陽阳隨随險险雙双離离難难電电靈灵靜静韻韵頁页順顺須须願愿類类顏颜飄飘飛飞飲饮館馆駐驻驚惊體体魚鱼"
    "鮮鲜鳳凤鳴鸣鶴鹤麗丽黃黄點点齊齐龍龙"
)
_TRADITIONAL, _SIMPLIFIED = frozenset(_PAIRS[::2]), frozenset(_PAIRS[1::2])


def traditional(text: str) -> float | None:
    """Share of the telling characters that are traditional: 0 simplified, 1 traditional; None under two of them."""
    old, new = (sum(character in known for character in text) for known in (_TRADITIONAL, _SIMPLIFIED))
    return old / (old + new) if old + new > 1 else None
