"""Makes the fixture: a SentencePiece unigram model of 1500 pieces, and the ids that SentencePiece itself gives to texts.

    pip install sentencepiece==0.2.2
    python make.py ../../../../../core/src/test/resources/tiny-mixtral/eval.txt
"""

import json
import sys
import sentencepiece

# Characters that the model takes for others, instead of the 240 kB of all compatibility forms.
RULES = {
    "Ａ": "A",
    "ｂ": "b",
    "！": "!",
    "，": ",",
    "ﬁ": "fi",
    "e\u0301": "\u00e9",
    "\u3000": " ",
    "\t": " ",
    "\n": " ",
}
TEXTS = [
    "Hello world, this is a text.",
    "  two   spaces  \t and\na line ",
    "法国的英文名是什么？",
    "Ａ ﬁne ｂig cafe\u0301！",
    "🦙 unknown ☃ characters",
    "",
]

with open("rules.tsv", "w", encoding="utf-8") as rules:
    for source, target in RULES.items():
        codes = [" ".join(f"{ord(c):X}" for c in text) for text in (source, target)]
        rules.write("\t".join(codes) + "\n")
sentencepiece.SentencePieceTrainer.train(
    input=sys.argv[1],
    model_prefix="sentencepiece.bpe",
    model_type="unigram",
    vocab_size=1500,
    character_coverage=0.98,
    normalization_rule_tsv="rules.tsv",
    num_threads=1,
    minloglevel=2,
)
model = sentencepiece.SentencePieceProcessor(model_file="sentencepiece.bpe.model")
with open("expected.json", "w", encoding="utf-8") as expected:
    json.dump([{"text": t, "ids": model.encode(t)} for t in TEXTS], expected, ensure_ascii=False, indent=1)
    expected.write("\n")
