"""Golden scores of LongBench's metrics, by LongBench's own code, on random texts.

Usage: python make_metrics.py <folder of LongBench's metrics.py> > metrics.json
Needs rouge==1.0.1 fuzzywuzzy==0.18.0 python-Levenshtein==0.27.5 jieba==0.42.1 (Python 3.11; made 2026-11-22 with THUDM/LongBench 2e00731).
"""
import difflib
import json
import random
import sys

sys.path.insert(0, sys.argv[1])
import metrics as published
from fuzzywuzzy import fuzz
from fuzzywuzzy.StringMatcher import StringMatcher

random.seed(20241)
WORDS = "a an the The A. cat, sat mat; on it's don't 7 42 3.14 x_y Ärger naïve été Σίσυφος 東京 the-end U.S. ... . - and AN thé a\u0301 \u00a0 😀 ".split(" ")
LINES = ["for i in range(10):", "    return self.x + y", "if (a == b) { return c; }", "int main() {", "// a comment", "# another", "```python", "x = [1, 2, 3]", "", "\t}", "self.assertEqual(a.b(c), [1])"]


def text():
    kind = random.randrange(8)
    if kind == 0:
        return random.choice(["", " ", ".", "...", "!?", "the", ". .", "\n", "a.b.c", "A an the."])
    words = [random.choice(WORDS) for _ in range(random.randrange(1, 14))]
    if kind < 5:
        return random.choice([" ", "  ", "\n"]).join(words)
    return ". ".join(" ".join(random.choice(WORDS[:12]) for _ in range(random.randrange(1, 6))) for _ in range(random.randrange(1, 4)))


def code():
    line = random.choice(LINES)
    chars = list(line)
    for _ in range(random.randrange(0, 6)):
        if chars:
            chars[random.randrange(len(chars))] = random.choice("abc(){}=+ .é😀")
    return "".join(chars)


def changed(words):
    return " ".join(random.choice(words.split(" ")) if random.random() < 0.3 else w for w in words.split(" "))


def alike(prediction, truth):
    """Difflib's ratio, as without python-Levenshtein, and python-Levenshtein's."""
    scores = []
    for matcher in (difflib.SequenceMatcher, StringMatcher):
        fuzz.SequenceMatcher = matcher
        scores.append(published.code_sim_score(prediction, truth))
    return scores


texts = [(text(), text()) for _ in range(110)]
texts += [(changed(t), t) for t in (" ".join(random.choice(WORDS[:20]) for _ in range(12)) for _ in range(50))]
codes = [("\n" * random.randrange(3) + "\n".join(code() for _ in range(random.randrange(1, 4))), code()) for _ in range(90)]
# Long enough that difflib leaves popular characters out.
codes += [("".join(random.choice("abcde ") for _ in range(230)), "".join(random.choice("abcdefghij ") for _ in range(260))) for _ in range(4)]
codes += [("", ""), ("", "x"), ("x", ""), ("aaaaaaaa", "aaaaabbb"), ("#", "x"), ("ab😀cd", "ab😁cd")]
CLASSES = ["Other", "Other entity", "Other location", "City", "State", "Country", "Number of something", "Number", "Date", "Mountain", "Individual", "Group or organization of person", "Equivalent term", "Event", "ent"]
labels = [(" ".join(random.choice(CLASSES + ["is", "Type:"]) for _ in range(random.randrange(0, 5))), random.choice(CLASSES)) for _ in range(90)]
numbers = [("".join(random.choice(["3", "12", "Paragraph ", " ", "and ", "7.", "07", "-", "٣"]) for _ in range(random.randrange(0, 6))), random.choice(["3", "12", "7", "312", "0"])) for _ in range(80)]

golden = {
    "classes": CLASSES,
    "texts": [[p, t, published.qa_f1_score(p, t), published.rouge_score(p, t)] for p, t in texts],
    "codes": [[p, t, *alike(p, t)] for p, t in codes],
    "labels": [[p, t, published.classification_score(p, t, all_classes=CLASSES)] for p, t in labels],
    "numbers": [[p, t, published.count_score(p, t), published.retrieval_score(p, "Paragraph " + t)] for p, t in numbers],
}
rows = {name: "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in values) + "\n]" for name, values in golden.items()}
print("{\n" + ",\n".join(f'"{name}": {text}' for name, text in rows.items()) + "\n}")
