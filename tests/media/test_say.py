"""Spoken numbers against tables of good language and against num2words."""

from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from num2words import num2words

from media.decoding import SoundError
from media.prompts import LANGUAGES, prompt_path, texts
from media.prompts.say import SayError, say


def spoken(kind: str, value: str, language: str) -> str:
    """The words themselves."""
    return " ".join(texts(language)[name] for name in say(kind, value, language))


RUSSIAN = [
    ("number", "0", "ноль"),
    ("number", "1", "один"),
    ("number-f", "1", "одна"),
    ("number-n", "1", "одно"),
    ("number-f", "2", "две"),
    ("number-n", "2", "два"),
    ("number", "-5", "минус пять"),
    ("number", "11", "одиннадцать"),
    ("number-f", "121", "сто двадцать одна"),
    ("number", "2000", "две тысячи"),
    ("number", "5000", "пять тысяч"),
    ("number", "1001", "тысяча один"),
    ("number", "21012", "двадцать одна тысяча двенадцать"),
    ("number", "2000001", "два миллиона один"),
    ("number-gen", "2", "двух"),
    ("number-f-gen", "1", "одной"),
    ("number-gen", "345", "трёхсот сорока пяти"),
    ("number-gen", "5000", "пяти тысяч"),
    ("ordinal", "3", "третий"),
    ("ordinal-f", "3", "третья"),
    ("ordinal-n", "23", "двадцать третье"),
    ("ordinal-gen", "2026", "две тысячи двадцать шестого"),
    ("ordinal-gen", "2000", "двухтысячного"),
    ("ordinal", "140", "сто сороковой"),
    ("ordinal", "500", "пятисотый"),
    ("message", "1", "одно сообщение"),
    ("new-message", "2", "два новых сообщения"),
    ("new-message", "5", "пять новых сообщений"),
    ("new-message", "21", "двадцать одно новое сообщение"),
    ("saved-message", "0", "нет сохранённых сообщений"),
    ("minute", "2", "две минуты"),
    ("minute", "11", "одиннадцать минут"),
    ("call", "112", "сто двенадцать звонков"),
    ("person", "22", "двадцать два человека"),
    ("day-count", "3", "три дня"),
    ("duration", "120", "две минуты"),
    ("duration", "3661", "один час одна минута одна секунда"),
    ("duration", "0", "ноль секунд"),
    ("time", "15:05", "пятнадцать часов пять минут"),
    ("time", "01:01", "один час одна минута"),
    ("time", "00:22", "ноль часов двадцать две минуты"),
    ("time", "00:00", "полночь"),
    ("time", "21:00", "двадцать один час"),
    ("date", "2026-11-24", "двадцать четвёртое ноября две тысячи двадцать шестого года"),
    ("date", "1999-01-01", "первое января тысяча девятьсот девяносто девятого года"),
    ("day", "2026-11-24", "вторник двадцать четвёртое ноября"),
    ("datetime", "2026-03-03T09:21", "третьего марта в девять часов двадцать одну минуту"),
    ("money", "1 RUB", "один рубль"),
    ("money", "1502.21 RUB", "тысяча пятьсот два рубля двадцать одна копейка"),
    ("money", "0.02 RUB", "две копейки"),
    ("money", "-3 USD", "минус три доллара"),
    ("digits", "+7 495*1#", "плюс семь четыре девять пять звёздочка один решётка"),
]

ENGLISH = [
    ("number", "0", "zero"),
    ("number-f", "121", "one hundred and twenty one"),
    ("number", "1005", "one thousand and five"),
    ("number", "-12", "minus twelve"),
    ("ordinal", "1", "first"),
    ("ordinal", "22", "twenty second"),
    ("ordinal", "100", "one hundredth"),
    ("new-message", "1", "one new message"),
    ("new-message", "0", "no new messages"),
    ("person", "3", "three people"),
    ("duration", "125", "two minutes and five seconds"),
    ("duration", "3661", "one hour one minute and one second"),
    ("duration", "0", "zero seconds"),
    ("time", "15:05", "three oh five P M"),
    ("time", "00:00", "midnight"),
    ("time", "12:00", "noon"),
    ("time", "12:30", "twelve thirty P M"),
    ("time", "00:07", "twelve oh seven A M"),
    ("time", "09:00", "nine A M"),
    ("date", "2026-11-24", "November twenty fourth twenty twenty six"),
    ("date", "2005-01-02", "January second two thousand and five"),
    ("day", "2026-11-24", "Tuesday November twenty fourth"),
    ("datetime", "2026-03-03T09:21", "March third at nine twenty one A M"),
    ("money", "12.50 USD", "twelve dollars and fifty cents"),
    ("money", "1 GBP", "one pound"),
    ("money", "0.01 GBP", "one penny"),
    ("money", "0 EUR", "zero euros"),
    ("letters", "Ab1", "A B one"),
]


@pytest.mark.parametrize(("kind", "value", "words"), RUSSIAN)
def test_russian(kind: str, value: str, words: str) -> None:
    assert spoken(kind, value, "ru") == words


@pytest.mark.parametrize(("kind", "value", "words"), ENGLISH)
def test_english(kind: str, value: str, words: str) -> None:
    assert spoken(kind, value, "en") == words


def oracle(number: int, language: str, **inflection: Any) -> str:
    words: str = num2words(number, lang=language, **inflection)
    return words.replace("-", " ").replace(",", "")


@given(number=st.integers(1, 999_999))
def test_english_numbers_are_those_of_num2words(number: int) -> None:
    assert spoken("number", str(number), "en") == oracle(number, "en")


@given(
    number=st.one_of(st.integers(0, 999), st.integers(2_000, 20_999)), gender=st.sampled_from("mfn")
)
def test_russian_numbers_are_those_of_num2words(number: int, gender: str) -> None:
    kind = "number" if gender == "m" else f"number-{gender}"
    assert spoken(kind, str(number), "ru") == oracle(number, "ru", gender=gender)


@given(number=st.integers(1, 999), gender=st.sampled_from("mfn"))
def test_russian_ordinals_are_those_of_num2words(number: int, gender: str) -> None:
    kind = "ordinal" if gender == "m" else f"ordinal-{gender}"
    assert spoken(kind, str(number), "ru") == oracle(number, "ru", to="ordinal", gender=gender)


@given(number=st.integers(1, 999))
def test_russian_genitives_are_those_of_num2words(number: int) -> None:
    assert spoken("number-gen", str(number), "ru") == oracle(number, "ru", case="g")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("number", "many"),
        ("number", "9" * 13),
        ("time", "25:00"),
        ("date", "yesterday"),
        ("money", "5 XYZ"),
        ("money", "x USD"),
        ("digits", "5ж"),
        ("poem", "1"),
    ],
)
def test_what_cannot_be_spoken_is_told_as_a_sentence(language: str, kind: str, value: str) -> None:
    with pytest.raises(SayError):
        say(kind, value, language)


def test_an_unknown_language_is_told() -> None:
    with pytest.raises(SayError, match="'xx'"):
        say("number", "1", "xx")
    with pytest.raises(SoundError, match="'xx'"):
        texts("xx")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_prompt_has_its_sound(language: str) -> None:
    missing = [name for name in texts(language) if not prompt_path(name, language).is_file()]
    assert not missing


@pytest.mark.parametrize("language", LANGUAGES)
@given(number=st.integers(0, 10**12 - 1))
def test_every_word_of_a_number_is_a_prompt(language: str, number: int) -> None:
    kinds = ("number", "number-f", "number-f-gen", "ordinal", "ordinal-gen", "minute", "message")
    names = chain.from_iterable(say(kind, str(number), language) for kind in kinds)
    assert set(names) <= texts(language).keys()


def test_both_languages_have_the_same_sentences() -> None:
    english = {name for name, text in texts("en").items() if text.endswith(".")}
    assert english <= texts("ru").keys()
