"""Money and counts in a request's words: "2 cents each", "$1 a month for 1000 tickets", "höchstens 0,5 ct pro Mail". Pure."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import islice

import msgspec

from agent_marketplace.recommend import grammar as g
from agent_marketplace.recommend.understood import Understood

_DAYS = {"day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}


class Currency(msgspec.Struct, frozen=True):
    """dollars: of one unit, a rough rate rounded down; before, after: how it is written before or after the number."""

    sign: str
    dollars: Decimal
    before: str
    after: str


CURRENCIES: Mapping[str, Currency] = {
    name: Currency(sign, Decimal(dollars), before, after)
    for name, sign, dollars, before, after in (
        (
            "eurocent",
            "€ct ",
            "0.0105",
            r"€ct",
            r"euro[ -]?cents?|cents? d'euro|céntimos?(?: de euro)?|centesimi di euro|cêntimos?",
        ),
        ("real_cent", "R$ct ", "0.0016", r"r\$ct", r"centavos? de rea(?:l|is)"),
        ("kurus", "kuruş ", "0.0002", r"₺ct", r"kuruş\w*"),
        ("kopek", "kop. ", "0.0001", r"₽ct", r"копе[ей]\w*"),
        ("grosz", "gr ", "0.0023", r"złct", r"grosz\w*"),
        ("paisa", "paise ", "0.00011", r"₹ct", r"paise|paisa|पैसे|पैसा"),
        ("rappen", "Rp. ", "0.011", r"frct", r"rappen|centimes? suisses?"),
        ("ore", "øre ", "0.0009", r"krct", r"öre|øre"),
        ("jiao", "角", "0.013", r"元ct", r"毛钱?|角钱?"),
        ("fen", "分", "0.0013", r"角ct", r"分钱"),
        ("eur", "€", "1.05", r"€|eur", g.EURO),
        ("gbp", "£", "1.2", r"£|gbp", r"£|gbp|pounds? sterling|quid|英镑|英鎊|ポンド|фунт\w*"),
        ("chf", "CHF ", "1.1", r"chf|sfr\.?", r"chf|franken|francs? suisses?"),
        ("jpy", "¥", "0.006", r"¥|￥|jpy", r"¥|yen|jpy|日元|円"),
        ("cny", "元", "0.13", r"cn¥|cny|rmb", r"元|块钱?|人民币|rmb|cny|yuan|юан\w*"),
        ("inr", "₹", "0.011", r"₹|rs\.?|inr", r"₹|rupees?|inr|रुपये|रुपए|रुपया"),
        ("krw", "₩", "0.0006", r"₩|krw", r"₩|krw|won|원"),
        ("brl", "R$", "0.16", r"r\$|brl", r"brl|reais"),
        ("cad", "C$", "0.68", r"c\$|ca\$|cad", r"cad|canadian dollars?"),
        ("aud", "A$", "0.6", r"a\$|au\$|aud", r"aud|australian dollars?"),
        ("kr", "kr ", "0.09", r"sek|nok|dkk", r"kr|kronor|kroner|sek|nok|dkk"),
        ("pln", "zł ", "0.23", r"pln", r"zł|pln|złotych"),
        ("rub", "₽", "0.01", r"₽|rub", r"₽|rub|руб(?:л\w*|\.)?"),
        ("try", "₺", "0.02", r"₺", r"₺|tl|lira"),
    )
}
_BEFORE = "|".join(f"(?P<{name}>{c.before})" for name, c in CURRENCIES.items())
_AFTER = "|".join(f"(?P<{name}2>{c.after})" for name, c in CURRENCIES.items())
_HALF = (
    r"(?:an?|one) (?:tenth|hundredth|quarter|fifth|third|half) of an?|half an?|halben?|medio|meio|mezzo|a|an|one|"
    r"two|three|five|ten|twenty|"
    r"einen|ein|einem|zwei|fünf|zehn|un|une|deux|cinq|dos|cinco|dois|um|due"
)
_WORTH = {
    "half a": "0.5", "half an": "0.5", "halbe": "0.5", "halben": "0.5", "medio": "0.5", "two": "2", "three": "3", "five": "5",
    "ten": "10", "twenty": "20", "zwei": "2", "fünf": "5", "zehn": "10", "deux": "2", "cinq": "5", "dos": "2", "cinco": "5",
    "dois": "2", "due": "2", "meio": "0.5", "mezzo": "0.5",
}  # fmt: skip
_PARTS = {
    "tenth": "0.1", "hundredth": "0.01", "quarter": "0.25", "fifth": "0.2", "third": "0.33", "half": "0.5",
}  # fmt: skip
_AMOUNT = re.compile(
    rf"(?:(?:(?<![a-z])(?:{_BEFORE})|(?P<dollar>us\$|usd|\$))\s?(?P<a>{g.NUMBER})(?P<ak>k\b)?)|"
    r"(?P<single>(?:سنت|دولار) واحد)|"
    rf"(?:(?:(?P<b>{g.NUMBER})(?P<bk>k)?|(?<![^\W\d_])(?P<small>{_HALF}))\s?"
    rf"(?:(?:{_AFTER})|(?P<pence>pence)|(?P<cents>{g.CENTS})|(?P<usd>{g.CURRENCY}))(?![a-zäöüß]))"
)
_CAP_BEFORE = re.compile(
    rf"(?:(?<![a-zäöüß])|(?<=^))(?:{g.CAP})\W{{0,3}}(?:only |just |about |von |de |di |of )?$"
)
_PURPOSE_BEFORE = re.compile(r"(?:^|\s)(?:for|für|pour|por|para|per|за|用)\W{0,2}$")
_EACH_BEFORE = re.compile(
    r"(?:(?:1|一)(?:件|回|通|枚|本|つ)(?:あたり|につき)|每(?:次|个|条|封|张|篇|件|份))\W{0,2}$"
)
_EACH_AFTER = re.compile(rf"^[\s,]{{0,2}}(?:{g.EACH})(?![a-z])")
_A_PERIOD = re.compile(rf"^\W{{0,2}}(?:{'|'.join(g.PERIOD.values())})")
_BUDGET_AFTER = re.compile(
    r"^\W{0,2}(?:budget|max(?:imum)?|limit|cap|in total|total|or less|tops|to spend|oder weniger|以内|以下|预算|まで|"
    r"の予算)"
)
_PER_TOKENS = re.compile(
    r"^\W{0,2}(?:(?:per|a|pro|par|por)\W{1,2}|/\W{0,2})(?:1\s?)?(?:m|k|million|mtok|"
    r"thousand)?\W{0,2}(?:tokens?|m\b|mtok|million)"
)
_BARE = re.compile(
    r"(?:max(?:imum)?(?:[ _]cost)?|budget|cost cap|price cap|maximal|höchstens|máximo|massimo|"
    r"максимум|最多|预算)\W{0,3}(?:of |is )?"
    r"(?P<n>0[.,]\d+)(?![\d.,]*\w)(?!\s*(?:%|percent|\w+s?\b(?<=words)))"
)
_NO_ADJECTIVE = (
    r"tokens?|pages?|words?|lines?|characters?|dollars?|bucks|cents?|euros?|seconds?|minutes?|for|of|per|in|at|"
    r"an?|the|and|to|on|or|"
    r"from|pro|je|für|por|para|pour|par|за|на"
)
_COUNT = re.compile(
    rf"(?<![$€£¥₹\d.,])(?P<n>{g.NUMBER})\s?(?P<k>{g.MULTIPLE})?\s?"
    rf"(?:(?!(?:{_NO_ADJECTIVE})\b)[^\W\d][\w-]{{0,30}}+\s){{0,2}}"
    rf"(?P<what>\w{{0,15}}?(?:{g.COUNTED}))(?![a-zäöü])"
)
_OFTEN = re.compile(
    rf"(?<![\d.,$€£¥₹])(?<![$€£¥₹] )(?P<n>{g.NUMBER})\s?(?P<k>{g.MULTIPLE})\s"
    rf"(?P<what>{'|'.join(g.PERIOD.values())})"
)
_PAID_FOR = re.compile(
    rf"(?:{g.PERIOD['month']}|{g.PERIOD['day']}|{g.PERIOD['week']}) (?P<many>for (?P<n>\d{{1,3}}(?:[,.]\d{{3}})+|"
    rf"\d{{2,3}}|\d{{5,}})"
    r"\s?(?P<k>k|thousand|million)?)(?=\s*[.,;!)]|\s*$)"
)
"""What a sum a period is for, where it is not said what they are: "$100 a month for 50,000"."""
Span = tuple[int, int]
MANY_THINGS = 100
MOST_CALLS = 10_000_000_000
_THINGS = re.compile(
    rf"(?<![$€£¥₹\d.,])(?<![$€£¥₹] )(?P<n>{g.NUMBER})\s?(?P<k>{g.MULTIPLE})?\s"
    r"(?:[^\W\d]\w{0,30}-?\s){0,1}?(?P<what>[^\W\d_][^\W\d_-]{3,30}[snieyахв])"
    r"(?![\w-])"
)
_A_YEAR = re.compile(r"(?:19|20)\d\d")
_NO_THING = re.compile(
    r"(?:seiten|pages?|páginas|pagine|stron|strony|страниц\w*|words|palabras|palavras|wörter\w*|worten?|parole|słów|слов|"
    r"minut\w*|hours|seconds|"
    r"tokens|dollars?|euros?|cents|bytes|pixels|years|years?|jahre|années|años|anos|anni|лет|days|tage|months|"
    r"miles|meters|calories|numbers|digits|integers|elements|decimals|"
    r"degrees|percent|people|lines|zeilen|characters|zeichen|points|steps|million\w*|times|рубл\w*)$"
)
_OBJECT = re.compile(
    rf"(?<![^\W_])(?:{g.WORKS})\s(?:(?:me|us|up to|around|roughly|some|all|these|those|my|our|diese|meine|unsere|ces|mes|"
    r"nos|estas|estos|mis|queste|questi|эти)\s){0,2}$"
)
"""Before the things that a verb of work is said of."""
_BOUGHT = re.compile(
    r"\W{0,2}(?:(?:budget|in total|total)\W{1,2})?(?:for|für|pour|para|por|per|за|на)\s"
    r"(?:(?:all|these|those|my|our|around|up to)\s){0,2}"
)
"""Between a sum and the things that it buys: "$20 for 500". Other things that something is for are often people: guests, users."""
_CLAUSE = re.compile(r"(?:^|[,:;(–-])\s*$")
_TO_MONEY = re.compile(r"\W{0,3}(?:(?:for|at|with|and|für|und|pour|et|para|por|y|per|e|за|и)\W{1,2})?")
_ONE_ASKED = re.compile(
    rf"(?<![^\W_])(?:{g.WORKS}|explain|tell|give|make|read|fix|debug|solve|find|erklär\w*|expli\w+|spieg\w+|объясни\w*)\s"
    r"(?:(?:me|us|mir|uns|[- ]moi)\s)?(?:this|that|an?|one|eine?[nm]?|diese[mnrs]?|une?|cet|cette|ce|un[ao]?|est[ea]|uma?|"
    r"quest[oa]|этот|эту|это)\s[^\W\d_]"
)
"""One letter, one essay: figures beside it tell of it."""
_THIS_ONE = re.compile(
    rf"(?<![^\W_])(?:{g.WORKS}|explain|fix|debug|solve)\s(?:this|that|diese[mnrs]?|cet|cette|ce|est[ea]|quest[oa]|этот|эту|это)\s"
    r"[^\W\d_]"
)
_FOR_EACH = re.compile(r"\b(?:for|to|of) (?:each|every one)(?: (?:one|of them))?(?=\s*(?:[.,;:!?]|$))")
_TOLD_OF = re.compile(
    r"\b(?:this|that|an?|my|our|the) (?:[\w-]{1,30} ){0,3}?(?:(?:essay|report|story|article|poem|speech|talk|novel|song|paper|"
    r"post|tale) (?:about|on)|(?:code|function|script|program|service|server|class|app|module|bot)(?:,? (?:it|that|which|to))? "
    r"(?:handl|process|serv|read|send|pars|load)\w*) (?:the |about |over |up to )?$"
)
"""Before what one text is about or what one program handles: no number of calls."""
_PER_MANY = re.compile(
    rf"^[\s,]{{0,2}}(?:(?:per|for each|for every|je|pro|par|por|за|на)\s|/\s?|每)"
    rf"(?P<n>{g.NUMBER})\s?(?P<k>k|thousand|million)?(?!\s?tok)(?![\w.,]*\d)"
)
_MONTHLY_BEFORE = re.compile(
    r"(?:月額|毎月|月に|每月|每个月|monthly|monatlich|mensuel\w*|mensual\w*|mensal|ежемесячно|월)\W{0,3}$"
)
_TOTAL = re.compile(
    r"^\W{0,2}(?:in total|altogether|all in all|overall|for (?:everything|all of (?:them|it)|the lot|the whole \w+)|insgesamt|"
    r"zusammen|en tout|au total|en total|in totale|no total|ao todo|всего|в сумме|总共|一共|合計|全部で|إجمالا|"
    r"łącznie|in tutto|w sumie|toplam|totaal|en todo|em tudo|"
    r"left\b|remaining|übrig|restants?|me quedan)"
)
_OF_LENGTH = re.compile(r"(?:tokens?|pages?|words?|lines?|characters?|dollars?|cents?) ")
_MULTIPLES = tuple((re.compile(words), many) for words, many in g.MULTIPLES)
_JAPANESE = re.compile(r"[\u3040-\u30ff]")
_HAN = re.compile(r"[\u4e00-\u9fff]")


_STORY_BEFORE = re.compile(
    r"\b(?:at|costs?|sold|sells?|earn\w*|makes?|made|rent|salary|wage|income|paid|pays?|price[sd]?|was|were|is|are|worth|charges?|"
    r"kosten|kostet|verdien\w*|coûte\w*|gagne\w*|cuestan?|gano|custam?|ganho|costano?|guadagn\w*|стоит|стоят|зарабат\w*)\W{0,3}"
    r"(?:of |about |only |me |us |him |her )?$"
)
"""What is told of a price in a story or a sum is no condition: "sold at $12 each", "rent is $900 a month"."""


_HAVE = re.compile(r"(?:only |i |we |ich |wir )?(?:have|habe|haben|j'ai|tengo|tenho|у меня|我)")
_HOW_MANY = re.compile(
    r"how (?:much|many)\b|wie ?viele?\b|combien|cuánt|quant[oiea]s?\b|сколько|多少|いくら|何個|कितन|كم "
)
"""Who has five dollars and asks how much is left tells a sum."""

_AND_BEFORE = re.compile(r"(?:^|\s)(?:and|und|et|y|e|i|и|with|mit|avec|con|com|for|für)\s$|[和与、]$")


NO_CALL_COSTS = 500
"""Dollars: a sum above it that is for nothing in particular is no cap on a call ("a villa within $300,000")."""


MANY_AMOUNTS = 24
"""A request with more sums than these is a list of prices, which is material: what stands further back is no condition."""


class Count(msgspec.Struct, frozen=True):
    """How many calls the buyer plans; period: day, week, month or "" for once."""

    calls: int
    period: str = ""


class _Money(msgspec.Struct, frozen=True):
    """amount: dollars; note: how it was come by, where dollars were not said."""

    amount: Decimal
    words: str
    after: str
    each: bool
    note: str = ""


def number(text: str) -> Decimal:
    """`1,000`, `1.5`, `0,02`, `3 000`: a comma or point with exactly three digits behind whole thousands groups them."""
    plain = re.sub(r"[\u202f ]", "", text)
    if re.fullmatch(r"[1-9]\d{0,2}(?:[,.]\d{3})+", plain):
        return Decimal(re.sub(r"[,.]", "", plain))
    return Decimal(plain.replace(",", "."))


def money_text(amount: Decimal) -> str:
    """`$0.02`, `$1`, without useless zeros."""
    return f"${amount.normalize():f}"


def count_of(low: str) -> tuple[Count, str] | None:
    """How many calls are planned, and the words."""
    for match in _COUNT.finditer(low):
        many = _many(match)
        if not _counts(many, 2) or _OF_LENGTH.search(match[0]):
            continue
        if _TOLD_OF.search(low[max(0, match.start() - 80) : match.start()]):
            continue
        period = _period_near(low, match)
        if not period and match["what"].startswith("user") and low[: match.start()].endswith("for "):
            continue  # a database for 100,000 users
        words = low[match.start() : match.end()].strip()
        return Count(int(many), period), words
    often = _OFTEN.search(low)
    if often is not None:
        return Count(int(_many(often)), _period_in(often["what"])), often[0].strip()
    paid = _PAID_FOR.search(low)
    return None if paid is None else (Count(int(_many(paid)), _period_in(paid[0])), paid["many"].strip())


def _period_near(low: str, match: "re.Match[str]") -> str:
    """The period that a count is of, behind it or right before it: "500 mails a day", "毎日500件"."""
    before = low[max(0, match.start() - 14) : match.start()]
    near = re.search(
        rf"(?:{'|'.join(g.PERIOD.values())})\W{{0,3}}(?:i get |we get |about |around )?$", before
    )
    after = low[match.end() : match.end() + 16]
    if _A_PERIOD.match(after) or near is None:
        return _period_in(after)
    return _period_in(near[0])


def plural_of(low: str, money: "Span") -> tuple[Count, str] | None:
    """Where money is named and nothing known is counted: the many things that the work is done to, whatever they are called.

    They are what a verb of work is said of, what stands beside the money, or what something is asked for each of. Figures that a
    request tells of its matter ("a company with 250 employees") count no calls, nor does anything where one thing is asked for.
    """
    each = _FOR_EACH.search(low) is not None
    if _ONE_ASKED.search(low) and not each:
        return None
    for match in _THINGS.finditer(low):
        many = _many(match)
        if money[0] <= match.start() < money[1] or not _counts(many, MANY_THINGS):
            continue
        if (
            _A_YEAR.fullmatch(match["n"])
            or _OF_LENGTH.search(f"{match[0]} ")
            or _NO_THING.match(match["what"])
        ):
            continue
        before = low[max(0, match.start() - 48) : match.start()]
        paid = _CLAUSE.search(before) and _TO_MONEY.fullmatch(low[match.end() : max(match.end(), money[0])])
        bought = _BOUGHT.fullmatch(low[money[1] : max(match.start(), money[1])])
        if each or paid or bought or _OBJECT.search(before):
            return Count(int(many), _period_near(low, match)), match[0].strip()
    return None


def _counts(many: Decimal, least: int) -> bool:
    """Whether a number may be one of calls."""
    return least <= many <= MOST_CALLS and many == many.to_integral_value()


def _many(match: "re.Match[str]") -> Decimal:
    """The number `n` of a match times its `k`: 20k, 1 million."""
    unit = match["k"] or ""
    return number(match["n"]) * next((many for words, many in _MULTIPLES if words.fullmatch(unit)), 1)


def _period_in(text: str) -> str:
    return next((name for name, words in g.PERIOD.items() if re.search(rf"(?:{words})", text)), "")


def _amounts(low: str) -> Iterator[_Money]:
    for match in islice(_AMOUNT.finditer(low), MANY_AMOUNTS):
        before, after = low[max(0, match.start() - 40) : match.start()], low[match.end() : match.end() + 40]
        if _PER_TOKENS.match(after):
            continue
        if (many := _PER_MANY.match(after)) is not None and (each_of := _many(many)) >= 10:
            amount, note = _dollars(match, low)
            words = low[match.start() : match.end() + many.end()].strip(" ,;:.")
            yield _Money(amount / each_of, words, "", each=True, note=note)
            continue
        cap, later = _CAP_BEFORE.search(before), _EACH_AFTER.match(after)
        period = _period_in(after[:22])
        each = not period and (later is not None or _EACH_BEFORE.search(before) is not None)
        count_near = _COUNT.search(after) is not None
        purpose = _PURPOSE_BEFORE.search(before) is not None and (each or period or count_near)
        told = (
            cap
            or each
            or period
            or _BUDGET_AFTER.match(after)
            or (_TOTAL.match(after) and _bought(low, before, after))
        )
        if _STORY_BEFORE.search(before) if not cap else (_HAVE.match(cap[0]) and _HOW_MANY.search(low)):
            continue
        beside = _AND_BEFORE.search(before) is not None and count_of(low[: match.start()]) is not None
        if not (told or purpose or beside or (count_near and "for" in after) or _stands_alone(low, match)):
            continue
        start = match.start() - (len(before) - cap.start() if cap else 0)
        tail = later if later and each else _A_PERIOD.match(after)
        end = match.end() + (tail.end() if tail else 0)
        amount, note = _dollars(match, low)
        yield _Money(amount, low[start:end].strip(" ,;:."), after, each, note)
    for match in _BARE.finditer(low):
        yield _Money(number(match["n"]), match[0].strip(), low[match.end() : match.end() + 20], each=True)


def _bought(low: str, before: str, after: str) -> bool:
    """Whether an amount "in total" pays for calls: they are counted, or it is what is left to spend."""
    has = re.search(
        r"\b(?:i (?:only )?have|i've got|got|my last|spend)\W{1,3}(?:only |just |about )?$", before
    )
    return count_of(low) is not None or (has is not None and _TOTAL.match(after) is not None)


def _stands_alone(low: str, match: "re.Match[str]") -> bool:
    """An amount behind a comma at the very end of a request that counts what is to be done: "12,000 photos, 10 dollars"."""
    ends = not low[match.end() :].strip(" .!?") and re.search(r"[,;:.–-]\s*$", low[: match.start()])
    return bool(ends) and count_of(low) is not None


def _dollars(match: "re.Match[str]", low: str) -> tuple[Decimal, str]:
    """An amount in dollars, and the rate that it was read with, in words."""
    if match["single"]:
        return Decimal("0.01") if "سنت" in match["single"] else Decimal(1), ""
    small = match["small"]
    part = next((p for p in small.split() if p in _PARTS), "") if small else ""
    worth = _PARTS.get(part) or _WORTH.get(small, "1")
    amount = Decimal(worth) if small else number(match["a"] or match["b"])
    amount *= 1000 if (match["ak"] or match["bk"]) else 1
    amount /= 100 if (match["cents"] or match["pence"]) else 1
    name = next((n for n in CURRENCIES if match[n] or match[f"{n}2"]), "gbp" if match["pence"] else "")
    if name == "jpy" and "¥" in match[0] and _HAN.search(low) and not _JAPANESE.search(low):
        name = "cny"
    if not name:
        return amount, ""
    currency = CURRENCIES[name]
    said = f" (from {currency.sign}{amount.normalize():f}, at {currency.dollars} dollars each: a rough rate, rounded down)"
    return amount * currency.dollars, said


def _calls(count: Count, words: str) -> Understood:
    often = f" a {count.period}" if count.period else ""
    return Understood("calls", count.calls, words, f"{count.calls:,} calls{often}")


def _money_period(low: str, said: _Money) -> str:
    """The period that a sum is for, behind it or right before it: "$5 a month", "月額2000円"."""
    start = low.find(said.words)
    before = _MONTHLY_BEFORE.search(low[max(0, start - 10) : start])
    return _period_in(said.after[:22]) or ("month" if before else "")


def _for_one(low: str, sum_words: str, counted: tuple[Count, str]) -> bool:
    """Whether a sum is for one thing of its own sentence, and the count is told in another: "We have 250 contracts. Translate this ..."."""
    if counted[0].period:
        return False
    paid = next((one for one in re.split(r"(?<=[.!?])\s", low) if sum_words in one), "")
    return counted[1] not in paid and _THIS_ONE.search(paid) is not None


def money(low: str) -> list[Understood]:
    """The cap on one call, the budget for many, and how many."""
    found: list[Understood] = []
    counted = count_of(low)
    said = next(_amounts(low), None)
    if counted is not None and said is not None and _for_one(low, said.words, counted):
        counted = None
    if counted is not None and (said is not None or (counted[0].calls >= 20 and counted[0].period)):
        found.append(_calls(*counted))
    if said is None or said.amount <= 0:
        return found
    period = _money_period(low, said)
    if counted is None and not said.each:
        start = low.find(said.words)
        counted = plural_of(low, (start, start + len(said.words)))
        if counted is not None:
            found.append(_calls(*counted))
    total = _TOTAL.match(said.after) is not None
    if not (said.each or period or counted) and said.amount > NO_CALL_COSTS:
        return found
    if said.each or (not period and counted is None and not total):
        each = Understood(
            "max_cost", said.amount, said.words, f"at most {money_text(said.amount)} a call{said.note}"
        )
        return [*found, each]
    if counted is None:
        often = f"a {period}" if period else "in all"
        says = f"{money_text(said.amount)} {often}{said.note}: without a number of calls it caps none of them"
        return [*found, Understood("budget", said.amount, said.words, says)]
    calls = Decimal(counted[0].calls)
    if period and counted[0].period:
        calls = calls * _DAYS[period] / _DAYS[counted[0].period]
    one = (said.amount / max(calls, Decimal(1))).quantize(Decimal("1E-9"))
    often = f" a {period}" if period else ""
    shown = Decimal(f"{one:.2g}") if one else one
    says = f"{money_text(said.amount)}{often} for {int(calls):,} calls: {money_text(shown)} each{said.note}"
    return [*found, Understood("max_cost", one, said.words, says)]
