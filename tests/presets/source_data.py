"""Small files with the very columns of the sources' data. The verse is old enough for anyone, or written for this."""

import csv
import io
import json
import zipfile
from pathlib import Path

LOVE = [
    (
        "WILLIAM SHAKESPEARE",
        "Sonnet 116",
        "Love's not Time's fool, though rosy lips and cheeks\nWithin his bending sickle's compass come",
    ),
    (
        "EDMUND SPENSER",
        "Amoretti 75",
        "One day I wrote her name upon the strand,\nBut came the waves and washed it away",
    ),
    (
        "PHILIP SIDNEY",
        "Astrophil 31",
        "With how sad steps, O Moon, thou climb'st the skies!\nHow silently, and with how wan a face!",
    ),
    ("JOHN DONNE", "The Good-Morrow", "I wonder, by my troth, what thou and I\nDid, till we loved?"),
    (
        "SAMUEL DANIEL",
        "Delia",
        "Care-charmer Sleep, son of the sable Night,\nBrother to Death, in silent darkness born",
    ),
    (
        "THOMAS WYATT",
        "They flee",
        "They flee from me that sometime did me seek\nWith naked foot, stalking in my chamber.",
    ),
    ("BEN JONSON", "To Celia", "Drink to me only with thine eyes,\nAnd I will pledge with mine"),
    ("ROBERT HERRICK", "To Anthea", "Bid me to live, and I will live\nThy Protestant to be"),
    (
        "MICHAEL DRAYTON",
        "Idea 61",
        "Since there's no help, come let us kiss and part;\nNay, I have done, you get no more of me",
    ),
    ("CHRISTOPHER MARLOWE", "The Shepherd", "Come live with me and be my love,\nAnd we will all the pleasures prove"),
]
CLASSICAL = [
    ("静夜思", "李白", "唐", "床前明月光，疑是地上霜。\n举头望明月，低头思故乡。"),
    ("登鹳雀楼", "王之涣", "唐", "白日依山尽，黄河入海流。\n欲穷千里目，更上一层楼。"),
    ("春晓", "孟浩然", "唐", "春眠不觉晓，处处闻啼鸟。\n夜来风雨声，花落知多少。"),
    ("鹿柴", "王维", "唐", "空山不见人，但闻人语响。\n返景入深林，复照青苔上。"),
    ("相思", "王维", "唐", "红豆生南国，春来发几枝。\n愿君多采撷，此物最相思。"),
    ("江雪", "柳宗元", "唐", "千山鸟飞绝，万径人踪灭。\n孤舟蓑笠翁，独钓寒江雪。"),
    ("悯农", "李绅", "唐", "锄禾日当午，汗滴禾下土。\n谁知盘中餐，粒粒皆辛苦。"),
    ("寻隐者不遇", "贾岛", "唐", "松下问童子，言师采药去。\n只在此山中，云深不知处。"),
    ("梅花", "王安石", "宋", "墙角数枝梅，凌寒独自开。\n遥知不是雪，为有暗香来。"),
    ("乐游原", "李商隐", "唐", "向晚意不适，驱车登古原。\n夕阳无限好，只是近黄昏。"),
]
FUSED = [  # the line breaks are lost as in the table: some to a space, some to nothing
    (
        "Hope",
        "Hope is the thing with feathersThat perches in the soul,And sings the tune without the words",
        "Emily Dickinson",
        "Joy",
    ),
    (
        "I'm Nobody",
        "I'm Nobody! Who are you?Are you Nobody too?Then there's a pair of us",
        "Emily Dickinson",
        "Surprise",
    ),
    (
        "O Captain",
        "O Captain! my Captain! our fearful trip is done,The ship has weather'd every rack",
        "Walt Whitman",
        "Sadness",
    ),
    ("A Glimpse", "A glimpse through an interstice caught,Of a crowd of workmen and drivers", "Walt Whitman", "Joy"),
    (
        "Song",
        "Go and catch a falling star,Get with child a mandrake root,Tell me where all past years are",
        "John Donne",
        "Surprise",
    ),
    (
        "Alone",
        "From childhood's hour I have not beenAs others were; I have not seenAs others saw",
        "Edgar Allan Poe",
        "Sadness",
    ),
    (
        "Sonnet 18",
        "Shall I compare thee to a summer's day?Thou art more lovely and more temperate",
        "William Shakespeare",
        "Love",
    ),
    (
        "Sonnet 43",
        "How do I love thee? Let me count the ways.I love thee to the depth and breadth",
        "Elizabeth Barrett Browning",
        "Love",
    ),
    (
        "When You Are Old",
        "When you are old and grey and full of sleep,And nodding by the fire,Take down this book",
        "William Butler Yeats",
        "Sadness",
    ),
    (
        "The Tyger",
        "Tyger Tyger, burning bright,In the forests of the night,What immortal hand or eye",
        "William Blake",
        "Fear",
    ),
]
RIVER = [
    ("河", "河\n慢慢地走\n不说去哪里"),
    ("雨", "雨落在瓦上\n灯很低"),
    ("雪", "雪停了\n门还关着"),
    ("灯", "灯下的碗\n空着"),
    ("桥", "桥不等人\n水也不等"),
    ("风", "风翻了一页\n又翻回去"),
    ("门", "门开一半\n狗先出去"),
    ("井", "井里有半个月亮\n桶没有声音"),
    ("路", "路到坡上就轻了\n我还重着"),
    ("盐", "盐在罐底\n海在很远"),
]


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([head, *rows])
    return out.getvalue()


def personal(folder: Path) -> None:
    """ChatML written out on one line, as `train.jsonl` has it."""
    system = "用户会给出一个主题，请按照给定的主题，切实准确简洁且情感丰富地写一首现代诗"
    rows = [
        {
            "text": f"<|im_start|>system {system}<|im_end|> <|im_start|>user {theme}<|im_end|> "
            f"<|im_start|>assistant {poem}<|im_end|>"
        }
        for theme, poem in RIVER
    ]
    (folder / "data").mkdir()
    for name, part in (("train", rows[:8]), ("additional_poems", rows[8:])):
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in part)
        (folder / "data" / f"{name}.jsonl").write_text(lines, encoding="utf-8")


def renaissance(folder: Path) -> None:
    """author, content, poem name, age, type; with rows that the filter must leave out."""
    rows = [(author, text, name, "Renaissance", "Love") for author, name, text in LOVE]
    others = [("CARL SANDBURG", "The fog comes\non little cat feet.", "Fog", "Modern", "Nature")]
    head = ("author", "content", "poem name", "age", "type")
    (folder / "poetry.csv").write_text(table(head, rows + others), encoding="utf-8")


def two_stage(folder: Path) -> None:
    """Title, Poem, Poet, Tags; and conversations as one text, whose answers are among the poems."""
    poems = [(name, text, author.title(), "Love,Nature") for author, name, text in LOVE]
    (folder / "poems.csv").write_text(table(("Title", "Poem", "Poet", "Tags"), poems), encoding="utf-8")
    rows = [
        {"conversation": f"User: Can you write me a poem about {name}?\nAssistant: {text}"} for _, name, text in LOVE
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "instructions.jsonl").write_text(lines, encoding="utf-8")


def classical(folder: Path) -> None:
    """The table inside its zip."""
    with zipfile.ZipFile(folder / "archive.zip", "w") as archive:
        archive.writestr("Chinese_Poetry.csv", table(("title", "author", "dynasty", "content"), CLASSICAL))


def fusion(folder: Path) -> None:
    """Title, Poem, Poet, Emotion."""
    head = ("Title", "Poem", "Poet", "Emotion")
    (folder / "LLM_Dataset.csv").write_text(table(head, FUSED), encoding="utf-8")
