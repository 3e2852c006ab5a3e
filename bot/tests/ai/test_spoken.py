"""What a model says, apart from its reasoning and its control tokens."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ai.spoken import is_visible, spoken

HELLO = "Hello! How can I help?"
GREETS = "The visitor greets; I keep the voucher SPRING to myself."

THOUGHTS = {
    f"<think>\n{GREETS}\n</think>\n\n{HELLO}": HELLO,
    f"<think>{GREETS}</think>{HELLO}": HELLO,
    f"\n <THINKING> {GREETS} </THINKING> {HELLO}": HELLO,
    f'<thought time="3">{GREETS}</thought>\n{HELLO}': HELLO,
    f"<seed:think>{GREETS}</seed:think>{HELLO}": HELLO,
    f"[THINK]{GREETS}[/THINK]{HELLO}": HELLO,
    f"◁think▷{GREETS}◁/think▷{HELLO}": HELLO,
    f"<|channel>thought\n{GREETS}<channel|>{HELLO}": HELLO,
    f"<|START_THINKING|>{GREETS}<|END_THINKING|><|START_RESPONSE|>{HELLO}<|END_RESPONSE|>": HELLO,
    f"<think></think>{HELLO}": HELLO,
    # The template has written the opening tag.
    f"{GREETS}\n</think>\n\n{HELLO}": HELLO,
    f"{GREETS}</think>{HELLO}": HELLO,
    f"{GREETS} </think> {HELLO}": HELLO,
    f"They ask about the <think> tag.\n</think>\n\n{HELLO}": HELLO,
    f"Code:\n```py\nx = 1\n</think>\n{HELLO}": HELLO,
    # Cut by the cap, or nothing but thoughts.
    f"<think>\n{GREETS[:20]}": "",
    "<think>": "",
    f"<think>\n{GREETS}\n</think>\n": "",
    "</think>": "",
    f"{HELLO}\n<think>\nDid I": HELLO,
    # More than once, one within another, and in the middle.
    f"<think>{GREETS}</think>\n<think>Once more.</think>{HELLO}": HELLO,
    f"<think>a<think>b</think>c</think>{HELLO}": HELLO,
    f"Hello! <think>{GREETS}</think> How can I help?": HELLO,
    f"Hello!<think>{GREETS}</think>How can I help?": HELLO,
    # Thoughts about the tag, and an answer about it.
    f"<think>About `</think>`?</think>{HELLO}": HELLO,
    "<think>They ask for `<think>`.</think>The tag </think> ends it.": "The tag </think> ends it.",
    # Other names, and other spellings of them.
    f"<thinking_process>\n{GREETS}\n</thinking_process>\n{HELLO}": HELLO,
    f"<thought_process>{GREETS}</thought_process>{HELLO}": HELLO,
    f"<reasoning_content>{GREETS}</reasoning_content>{HELLO}": HELLO,
    f"<inner_monologue>{GREETS}</inner_monologue>{HELLO}": HELLO,
    f"<chain_of_thought>{GREETS}</chain_of_thought>{HELLO}": HELLO,
    f"<longcat_think>{GREETS}</longcat_think>{HELLO}": HELLO,
    f"< think >{GREETS}</ think >{HELLO}": HELLO,
    f"<|think|>{GREETS}<|/think|>{HELLO}": HELLO,
    f"<|THINK_START|>{GREETS}<|THINK_END|>{HELLO}": HELLO,
    f"<|inner_prefix|>{GREETS}<|inner_suffix|>{HELLO}<|assistant_end|>": HELLO,
    f'<details type="reasoning" done="true">\n<summary>Thought</summary>\n{GREETS}\n</details>\n{HELLO}': HELLO,
    f"Here is my thought process:\n{GREETS}\nHere is my response:\n{HELLO}": HELLO,
    # None, in one tag: what follows is the answer.
    f"<think/>{HELLO}": HELLO,
    f"<think />\n\n{HELLO}": HELLO,
    # Around the answer that follows them.
    f"<think>\n{GREETS}\n</think>\n\n<answer>\n{HELLO}\n</answer>": HELLO,
    f"{GREETS}\n</think>\n\n<response>\n{HELLO}\n</response>\n": HELLO,
    f"<think>{GREETS}</think><answer>{HELLO[:9]}": HELLO[:9].strip(),
    # A block of its own, wherever it begins.
    f"Well, <think>\n{GREETS}\n</think>\n{HELLO}": f"Well,\n{HELLO}",
}

FINAL = "<|start|>assistant<|channel|>final<|message|>"
HARMONY = {
    f"<|channel|>analysis<|message|>{GREETS}<|end|>{FINAL}{HELLO}": HELLO,
    f"<|channel|>analysis<|message|>{GREETS}<|end|>{FINAL}{HELLO}<|return|>": HELLO,
    f"<|start|>assistant<|channel|>commentary<|message|>I look it up.<|end|>{FINAL}{HELLO}": HELLO,
    f"<|channel|>final <|constrain|>text<|message|>{HELLO}": HELLO,
    f"analysis<|message|>{GREETS}<|end|>{FINAL}{HELLO}": HELLO,
    f"{GREETS}<|end|>{FINAL}{HELLO}": HELLO,
    f"analysis{GREETS}assistantfinal{HELLO}": HELLO,
    f"analysis{GREETS}assistantcommentaryI look.assistantfinal{HELLO}": HELLO,
    f"<|channel|>analysis<|message|>{GREETS[:30]}": "",
    "<|channel|>ana": "",
    '<|channel|>commentary to=functions.find <|constrain|>json<|message|>{"q": 1}<|call|>': "",
    f"final<|message|>{HELLO}": HELLO,
    # Without the tokens.
    f"analysis\n{GREETS}\nassistantfinal\n{HELLO}": HELLO,
    f"assistantanalysis{GREETS}assistantfinal{HELLO}": HELLO,
    f"{GREETS}assistantfinal{HELLO}": HELLO,
    f"analysis{GREETS}": "",
    f"assistant\n\n{HELLO}": HELLO,
}

TOKENS = {
    f"{HELLO}<|im_end|>": HELLO,
    f"{HELLO}</s>": HELLO,
    f"{HELLO} </s></s>\n": HELLO,
    f"{HELLO}<|eot_id|>": HELLO,
    f"{HELLO}<end_of_turn>\n": HELLO,
    f"{HELLO}<|endoftext|>": HELLO,
    f"{HELLO}<｜end▁of▁sentence｜>": HELLO,
    f"<|im_start|>assistant\n{HELLO}<|im_end|>": HELLO,
    f"<|start_header_id|>assistant<|end_header_id|>\n\n{HELLO}": HELLO,
    f"<s> {HELLO}": HELLO,
    f"<start_of_turn>model\n{HELLO}": HELLO,
    f"{HELLO}<|im_end|>\n<|im_start|>user\nAnd now?": HELLO,
    f"{HELLO}</s>Hello again": HELLO,
    "<|im_end|>": "",
    f"<think>{GREETS}</think>{HELLO}<|im_end|>": HELLO,
    f"{HELLO} <sep>": HELLO,
    f"{HELLO}<unk>": HELLO,
    f"{HELLO}<EOT>": HELLO,
    f"{HELLO}<|dummy_1|>": HELLO,
    f"{HELLO}<|/im_end|>": HELLO,
}

CALLS = {
    f'{HELLO}\n<tool_call>\n{{"name": "find", "arguments": {{}}}}\n</tool_call>': HELLO,
    "<tool_call>find\n<arg_key>q</arg_key>\n<arg_value>1</arg_value>\n</tool_call>": "",
    f"<tool_call>\n<function=find>\n</function>\n</tool_call>\n{HELLO}": HELLO,
    f'{HELLO}\n<function_calls>\n<invoke name="find"></invoke>\n</function_calls>': HELLO,
    f'{HELLO}\n<｜DSML｜function_calls>\n<｜DSML｜invoke name="find">\n</｜DSML｜function_calls>': HELLO,
    f'{HELLO}[TOOL_CALLS][{{"name": "find", "arguments": {{}}}}]': HELLO,
    f"{HELLO}[TOOL_CALLS]find[ARGS]{{}}": HELLO,
    '<|python_tag|>{"name": "find"}': "",
    f"{HELLO}<|tool_calls_section_begin|><|tool_call_begin|>find:0<|tool_call_argument_begin|>{{}}": HELLO,
    f"{HELLO}<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>find\n```json\n{{}}\n```": HELLO,
}

KEPT = [
    HELLO,
    "R1 writes <think> before it reasons and </think> after it, then answers.",
    "R1 uses <think>...</think> tags.",
    "<think> and </think> are tags.",
    "Write <think> first.",
    'Write "<think>" first, and “</think>” at the end.',
    "It is `<think>`.",
    "The end is </think>.",
    "```\n<think>\nhm\n</think>\n```\nThat is it.",
    "Here it is:\n```xml\n<think>reasons</think>",
    "Here it is:\n```xml\n<think>\nreasons\n</think>\nand",
    "Kimi writes ◁think▷ first, Mistral [THINK].",
    "ChatML ends a turn with <|im_end|> and goes on.",
    "It is `<|im_end|>`",
    "```\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n```\nThat is ChatML.",
    "`<|channel|>analysis<|message|>` is for thoughts, `<|start|>assistant<|channel|>final<|message|>` to answer.",
    f"```\n{FINAL}Hi<|return|>\n```",
    "analysis of your text: it is fine",
    "Use <details> and </details> for what can be folded, and <answer> for nothing.",
    "<answer>42</answer> is what the exercise wants.",
    "Here is my thought process: I count.",
    "In gpt-oss, `assistantfinal` is what is left of the tokens; assistantfinal, as I said.",
    "<tool_call> and </tool_call> stand around a call.",
    '```\n<tool_call>\n{"name": "find"}\n</tool_call>\n```\nThat is a call.',
    "Mistral writes [TOOL_CALLS] first, Llama <|python_tag|> and Kimi <|tool_calls_section_begin|> before them.",
    "<details>\n<summary>More</summary>\nText\n</details>",
    "Use `<details>`.\n</details> closes it.",
    "analysisMode is a flag",
    "<|channel|> is a token",
    "x = (\n<Thinking time={5}/>\n)",
    "A self-closing tag such as <think/> has no content.",
    "HTML has <s>struck</s> text and <b>bold</b> text, a < b and [1].",
]


@pytest.mark.parametrize(("written", "said"), list({**THOUGHTS, **HARMONY, **TOKENS, **CALLS}.items()))
def test_reasoning_and_control_tokens_are_not_said(written: str, said: str) -> None:
    assert spoken(written) == said


@pytest.mark.parametrize("text", KEPT)
def test_who_asks_about_the_markup_gets_it(text: str) -> None:
    assert spoken(text) == text


@pytest.mark.parametrize("text", ["", " \n", "\u200b\u2060", "\ufeff\u00ad", "\u3164", "\u2800\u2800", "\u200d\ufe0f"])
def test_what_nobody_sees_is_nothing(text: str) -> None:
    assert (spoken(text), is_visible(text)) == ("", False)


# (The last one is of a newer Unicode than Python's.)
@pytest.mark.parametrize("text", ["👍", "❤️", "1", "?", "ん", "\U0001fae9"])
def test_one_character_is_an_answer(text: str) -> None:
    assert spoken(f"\u200b{text}") == f"\u200b{text}"


# Without what markup is made of, in letters of several scripts.
PLAIN = st.text(st.sampled_from("aZé日ع 0.!?,\n*_-#()👍"), max_size=60)
# Thoughts may be about code and tags, open or not.
THINKING = st.lists(
    st.sampled_from(["so", " ", "\n", ".", "```", "`", "<b>", "<think>", "`</think>`", "<|", "I "])
).map("".join)
ENDS = st.sampled_from(["", "<|im_end|>", "</s>", "<|eot_id|>", " <end_of_turn>\n"])


@given(thoughts=THINKING, said=PLAIN, end=ENDS)
def test_whatever_is_thought_only_the_answer_is_said(thoughts: str, said: str, end: str) -> None:
    assert spoken(said + end) == (said.strip() if is_visible(said) else "")
    assert spoken(f"<think>\n{thoughts}\n</think>\n{said}{end}") == spoken(said)
    assert spoken(f"<|channel|>analysis<|message|>so<|end|>{FINAL}{said}{end}") == spoken(said)


PIECES = [
    "<think>",
    "</think>",
    "\n",
    " ",
    "a",
    ".",
    "`",
    "```",
    "<|channel|>",
    "final",
    "<|message|>",
    "<|end|>",
    "</s>",
]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_whatever_is_written_what_is_said_is_of_it_and_can_be_seen(written: str) -> None:
    said = spoken(written)
    assert said == said.strip()
    assert not said or is_visible(said)
    assert len(said) <= len(written)


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "<think>",
            "</think>",
            "<think>a</think>",
            "x<think>",
            "<think>\n`",
            "<unused94>",
            " ",
            "`",
            "<",
            "<s>",
            "</s>",
        ),
        *("<|end|>", "<|start|>", "<|start|>assistantto=", "<|start|>assistantto=x<|channel|>"),
    ],
)
def test_a_model_that_runs_wild_stops_nobody_for_long(piece: str) -> None:
    written = "analysis" + piece * (400_000 // len(piece)) + "x"
    began = time.process_time()
    spoken(written)
    assert time.process_time() - began < 1
