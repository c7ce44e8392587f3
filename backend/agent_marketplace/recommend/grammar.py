"""The words in which people state conditions on a model, in English and ten other languages. Data for `reading.py`.

Precision first: a phrase is here only if it speaks of how the work is to be done, never of what the work is about.
"""

from collections.abc import Mapping

NUMBER = (
    r"(?<!\d)(?:\d{1,3}(?:[,.\u202f ]\d{3}){1,4}+(?![,.\u202f ]?\d)|\d{1,12}+(?!\d)(?:[.,]\d{1,12}+(?!\d))?+)"
)
"""At most twelve digits or five groups, begun only where no digit stands before and never given back in parts: what is longer is
material, and a pattern that tries every part of it takes cubic time."""

MULTIPLES: tuple[tuple[str, int], ...] = (
    (
        (
            r"k(?![^\W\d_])|thousand|tausend|mil\b|mille\b|mila\b|тысяч\w*|тыс\.?|千|천|हज़ार|हजार|ألف|آلاف|tys\.?|"
            r"tysi\w+|duizend|bin(?=$|\s.{0,60}(?:[ğış]|\b(?:e-posta|yorum|belge|bilet|mesaj|ürün|kelime|sayfa|dolar|lira|tl|"
            r"adet|soru|talep|fatura|metin|en fazla)))"
        ),
        1000,
    ),
    (r"万|萬|만", 10_000),
    (r"लाख|lakhs?", 100_000),
    (
        r"million\w*|millones|milhões|milioni|mio\.?|mln\.?|млн\.?|миллион\w*|百万|मिलियन|مليون|milyon|miljoen|(?<!\s)m(?![a-z])",
        1_000_000,
    ),
)
"""How a multiple is written behind a figure, and how much it is. The Turkish "bin" only where the words behind it are Turkish: bins are
things; "m" only glued to its figure, and no "mm", which is a size."""

MULTIPLE = "|".join(words for words, _ in MULTIPLES)

CURRENCY = r"\$(?!\d)|us\$|usd|dollars?|bucks?|美元|美金|ドル|달러|dólares?|dollari|dolarów|dolary|dolar|доллар\w*|डॉलर|دولارات?|دولار"
CENTS = r"cents?|¢|ct|penny|pennies|美分|セント|centavos?|цент\w*|센트|सेंट|سنتات?|سنت|centimes?|centesimi"
EURO = r"€|eur|euros?|欧元|ユーロ|евро|यूरो|يورو"

CAP = (
    r"(?:don't|won't|not|never) (?:\w+ ){0,2}(?:spend|pay|cost) more than|not more expensive than|"
    r"under|below|less than|at most|no more than|not more than|up to|within|max(?:imum|\.)?|"
    r"cheaper than|less then|for|(?:budget|ceiling|limit|cap|maximum|max\.?) (?:cost |price )?(?:per|of|at|"
    r"is) (?:call|request|answer|message|item)?\W{0,2}|"
    r"(?:cost|price|spend\w*) (?:ceiling|limit|cap)(?: of| is|:)?|(?:can|could|will|i'll|we'll|would|willing to|"
    r"able to) (?:only )?(?:pay|spend|afford)"
    r"(?: up to| at most)?|budget(?: of| is|:)?|"
    r"cap(?: of|:)?|limit(?: of|:)?|only have|i have|spend(?: at most)?|(?:must|should|may|can) cost|max(?:imum)? costs?|<=?|"
    r"j'ai|ich habe(?: nur)?|wir haben(?: nur)?|tengo|tenho|у меня(?: есть)?|我(?:只)?有|कुल|बजट|الميزانية|ميزانية|예산(?:은)?|"
    r"no cueste\w* más de|nicht mehr kosten als|coûte\w* (?:moins|pas plus) de|que no pase de|"
    r"não custe mais (?:de|que)|non costi più di|massimo|"
    r"nicht teurer als|pas plus cher que|no más caro que|"
    r"unter|höchstens|maximal|weniger als|bis zu|nicht mehr als|moins de|au plus|au maximum|"
    r"pas plus de|menos de|como máximo|máximo|"
    r"no más de|no máximo|até|meno di|al massimo|non più di|не более|не больше|не дороже|"
    r"дешевле|меньше|до|максимум|不超过|不高于|低于|最多|"
    r"少于|以内|以下|अधिकतम|से कम|"
    r"أقل من|لا يزيد عن|بحد أقصى|بأقل من|以内で|まで|"
    r"presupuesto(?: de| es|:)?|orçamento(?: de|:)?|бюджет|预算|予算は?|budżet|bütçe\w*|"
    r"maksymalnie|najwyżej|nie więcej niż|poniżej|mniej niż|hoogstens|minder dan|niet meer dan|en fazla"
)
EACH = (
    r"each|apiece|a piece|per (?!month|day|week|year|quarter|annum)(?:\w+)|a call|an? (?:answer|request|question|"
    r"ticket|email|document|"
    r"page|message|image|item|row|record|review|tweet|summary|translation|line|post|photo|picture|invoice|"
    r"contract|file|prompt|chat|"
    r"conversation|user|comment|product|essay|letter|report|article|mail|clip|minute|video|recording)\b|"
    r"pro (?:\w+)|je (?:\w+)|chacune?|par (?:\w+)|cada (?:\w+)|cada uno|por (?:\w+)|ciascuno|"
    r"a testa|за (?:\w+)|каждый|"
    r"每(?:次|个|条|封|张|篇)|一(?:件|回|通)あたり|प्रति \w+|لكل \w+"
)
PERIOD: Mapping[str, str] = {
    "month": (
        r"(?:a|per|each|every|/) ?(?:month|mo\b|mth\b)|monthly|p\.m\.|maandelijks|per maand|miesięcznie|"
        r"na miesiąc|ayda|aylık|한 ?달|매월|월간|महीने|"
        r"im monat|pro monat|monatlich|"
        r"par mois|mensuel\w*|al mes|por mes|"
        r"mensual\w*|por mês|ao mês|mensais|al mese|mensil\w*|в месяц|每月|一个月|毎月|月に|月額|प्रति माह|شهريا|"
        r"في الشهر"
    ),
    "day": (
        r"(?:a|per|each|every|/) ?day|daily|jeden tag|chaque jour|diari\w+|dziennie|günde|per dag|하루|매일|रोज़?|"
        r"am tag|pro tag|täglich|par jour|al día|por día|"
        r"por dia|al giorno|в день|每天|一天|"
        r"毎日|一日|प्रति दिन|يوميا|في اليوم"
    ),
    "week": (
        r"(?:a|per|each|every|/) ?week|weekly|wöchentlich|tygodniowo|haftada|per week|"
        r"pro woche|par semaine|por semana|alla settimana|"
        r"в неделю|每周|毎週|في الأسبوع"
    ),
    "quarter": r"(?:a|per|each|every|/) ?quarter|quarterly|pro quartal|im quartal|par trimestre|al trimestre|"
    "por trimestre|в квартал|每季度",
    "year": (
        r"(?:a|per|each|every|/) ?(?:year|yr\b|annum)|yearly|annually|pro jahr|im jahr|jährlich|par an\b|al año|por año|por ano|"
        r"all'anno|в год|每年|一年|年間|सालाना|سنويا|rocznie|yılda|per jaar"
    ),
}
COUNTED = (
    r"tickets?|documents?|mails?|emails?|e-mails?|messages?|requests?|calls?|questions?|invoices?|"
    r"contracts?|reviews?|images?|pictures?|"
    r"photos?|prompts?|articles?|reports?|letters?|files?|rows?|records?|products?|users?|comments?|"
    r"posts?|tweets?|summaries|essays?|conversations?|chats|descriptions?|titles|transcripts?|papers|cvs|resumes|applications?|"
    r"leads|transactions?|stories|listings|snippets|recordings?|entries|headlines|applicants?|orders|pdfs?|"
    r"anfragen|dokumente|rechnungen|verträge|briefe|nachrichten|bilder|artikel|documents|factures|"
    r"courriels|contrats|messages|"
    r"documentos|facturas|correos|mensajes|contratos|faturas|mensagens|documenti|fatture|messaggi|"
    r"запросов|писем|документов|"
    r"сообщений|счетов|工单|文档|邮件|合同|发票|请求|件|通|दस्तावेज़|ईमेल|رسالة|رسائل|مستند|مستندات|فاتورة|فواتير|"
    r"طلب|طلبات|фото\w*|отзыв\w*|заяв\w+|reseñas|avis|recensioni|avaliações|chamados|"
    r"bewertungen|rezensionen|beschreibungen|prs\b|(?:pull|merge) requests?|commits|diffs|mails|fotos|"
    r"zgłosze\w+|wiadomości|faktur|opini\w*|raport\w*|umów|"
    r"tuits?|fichas|schede|annunci|produits|produkte\w*|productos|produtos|prodotti|avaliações|commentaires|"
    r"comentarios|comentários|"
    r"classifications?|chat messages|blurbs|poems|captions|logos|videos?|clips|interviews|calls|samples|surveys|"
    r"responses|abstracts|pages scanned|"
    r"条|张|份|篇|封|个(?:标题|文件|问题|商品)|問い合わせ|レビュー|商品|リクエスト|리뷰|이메일|문의|문서|상품|"
    r"질문|요청|समीक्षा\w*|टिकट|تذكرة|تذاكر|"
    r"تعليق(?:ات)?|منتج(?:ات)?|e-posta|yorum|belge|recensies|berichten|facturen"
)

UNITS: Mapping[str, tuple[float, str]] = {
    "word": (1.35, (r"words?|słów|słowa|kelime|woorden|단어|wörter[n]?|worte[n]?|mots?|palabras?|palavras?|parole|слов[ао]?|"
    r"शब्द(?:ों)?|كلمات|كلمة")),
    "character": (0.25, r"characters?|zeichen|caractères?|caracteres?|caratteri|символов|знаков"),
    "sign": (1.0, r"字|文字|个字"),
    "sentence": (28.0, (r"sentences?|sätze[n]?|satz|phrases?|frases?|frasi|предложени\w+|句话?|文で|"
    r"वाक्य(?:ों)?|جمل(?:ة)?")),
    "bullet": (25.0, (r"points?|bullets?|bullet points?|stichpunkten?|punkten?|puntos?|pontos?|"
    r"punti|пункт\w*|点|要点|बिंदु(?:ओं)?|نقاط")),
    "paragraph": (120.0, (r"paragraphs?|absätze[n]?|paragraphes?|párrafos?|parágrafos?|paragrafi|"
    r"абзац\w*|段落?|अनुच्छेद|فقرات")),
    "page": (650.0, (r"pages?|pp|seiten?|seitige[nrs]?|páginas?|pagine|страниц\w*|stron[ya]?|sayfa|pagina's|페이지|页|ページ|頁|"
    r"पृष्ठ|पेज|صفحات|صفحة")),
    "line": (12.0, r"lines?|zeilen?|lignes?|líneas?|linhas?|righe|строк\w*|行|पंक्ति(?:यों)?|سطر|أسطر"),
    "slide": (110.0, r"slides?|folien|diapositives?|diapositivas?|слайд\w*|幻灯片|スライド"),
    "chapter": (5500.0, r"chapters?|kapiteln?|chapitres?|capítulos?|capitoli|глав\w*|章"),
    "token": (1.0, r"tokens?"),
}  # fmt: skip
"""Tokens of one unit, and what it is called."""

SMALL: Mapping[str, int] = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12,
    "twenty": 20, "einem": 1, "einen": 1, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "zehn": 10, "deux": 2, "trois": 3,
    "quatre": 4, "cinq": 5, "dix": 10, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "diez": 10, "dois": 2, "três": 3, "quatro": 4,
    "dez": 10, "due": 2, "tre": 3, "quattro": 4, "cinque": 5, "dieci": 10, "два": 2, "двух": 2, "три": 3, "трёх": 3, "трех": 3,
    "пять": 5, "пяти": 5, "десять": 10, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "十": 10, "तीन": 3, "दो": 2,
    "पाँच": 5, "ثلاث": 3, "ثلاثة": 3, "خمس": 5, "خمسة": 5,
}  # fmt: skip

GIVEN = (
    r"this|these|those|my|our|the|attached|following|his|her|their|its|dieses?|diesen?|meine[rn]?|"
    r"unsere[rn]?|die|den|"
    r"ce|cet|cette|ces|mon|ma|mes|notre|nos|estas?|estos?|mi|mis|nuestr[oa]s?|esta|este|estes|meus?|"
    r"minhas?|"
    r"questi?|queste|mio|miei|il|le|gli|эти|этот|эту|эт[иу]х?|мой|мои|наш\w*|这|这份|这些|我的|この|इस|इन|"
    r"मेरे|هذه|هذا"
)
TO_LENGTH = (
    r"in|into|within|to|as|at most|max(?:imum)?|about|around|roughly|exactly|of|under|"
    r"limit(?:ed)? to|no more than|not more than|"
    r"(?:in|auf) (?:höchstens|maximal|etwa)?|auf|höchstens|etwa|dans|à|environ|au plus|en|de|"
    r"como máximo|unas?|em|no máximo|"
    r"al massimo|circa|в|до|не более|примерно|用|约|大约|以|不超过|で|約|में|في"
)
MAKES = (
    r"write|draft|compose|generate|create|produce|make|give|tell|answer|reply|prepare|design|outline|"
    r"schreib\w*|verfass\w*|erstell\w*|écri\w*|rédige\w*|crée\w*|donne\w*|escrib\w*|redacta\w*|"
    r"crea\w*|haz|escrev\w*|redij\w*|cri[ea]\w*|"
    r"scriv\w*|напиш\w*|состав\w*|созда\w*|写|撰写|生成|创作|書い\w*|作成|लिख\w*|बना\w*|اكتب|أنشئ"
)
KEEPS_LENGTH = (
    r"translat\w*|refactor\w*|rewrit\w*|proofread\w*|convert\w*|port\b|paraphras\w*|reformat\w*|"
    r"übersetz\w*|umschreib\w*|"
    r"przetłumacz\w*|przełóż|vertaal|çevir\w*|번역|tradui\w*|réécri\w*|traduc\w*|traduz\w*|reescrib\w*|"
    r"reescrev\w*|traduci\w*|riscriv\w*|"
    r"перевед\w*|перепиш\w*|翻译|改写|重写|翻訳|"
    r"書き直\w*|अनुवाद|ترجم\w*"
)

WORKS = (
    r"(?:translat|summari[sz]|categori[sz]|moderat|transcrib|scor|grad|rat|rewrit|analy[sz]|annotat|anonymi[sz]|triag|describ|"
    r"writ|generat|creat|produc|compos|evaluat|pars|digiti[sz]|compar|locali[sz])(?:e|ing)|"
    r"(?:classify|label|labell|tag|tagg|sort|proofread|caption|rank|review|check|extract from|process|redact|draft|edit|correct|"
    r"clean|embed|embedd|answer|screen|cluster|enrich)(?:ing)?|"
    r"übersetz\w*|klassifizier\w*|sortier\w*|fasse?|schreib\w*|erstell\w*|prüf\w*|bewert\w*|"
    r"tradui\w*|class(?:e|er|ez|ifi\w*)|résum\w*|écri\w*|rédig\w*|traduc\w*|clasific\w*|resum\w*|escrib\w*|redact\w*|"
    r"traduz\w*|escrev\w*|tradur\w*|riassum\w*|scriv\w*|перевед\w*|перевести|классифиц\w*|напиш\w*|обобщ\w*|"
    r"przetłumacz\w*|sklasyfik\w*|vertaal|classificeer"
)
"""Verbs of work that is done to each of many things."""

SECONDS = r"sekund\w*|saniye\w*|초|seconds?|secs?|s|sekunden?|secondes?|segundos?|secondi|секунд\w*|秒|सेकंड|ثوان|ثانية"
MINUTES = r"minut\w*|dakika\w*|분|minutes?|mins?|minuten?|minutos?|minuti|минут\w*|分钟|分|मिनट|دقائق|دقيقة"
WITHIN = (
    r"within|in under|in less than|under|below|faster than|less than|at most|no more than|in|"
    r"innerhalb von|in unter|unter|binnen|entro|nel giro di|w ciągu|d'ici|"
    r"en moins de|"
    r"moins de|en menos de|menos de|em menos de|in meno di|meno di|за|менее|在|不超过|少于|以内|के भीतर|"
    r"في غضون|خلال"
)

MAKER_NAMES: Mapping[str, str] = {
    "claude": "anthropic", "anthropic": "anthropic", "openai": "openai", "open ai": "openai", "chatgpt": "openai", "gpt": "openai",
    "gemini": "google", "google": "google", "llama": "meta", "meta": "meta", "mistral": "mistral", "deepseek": "deepseek",
    "qwen": "alibaba", "alibaba": "alibaba", "grok": "xai", "xai": "xai", "kimi": "moonshotai", "moonshot": "moonshotai",
    "glm": "zai", "zhipu": "zai", "z.ai": "zai", "cohere": "cohere", "phi": "microsoft", "nova": "amazon", "minimax": "minimax",
    "gemma": "google", "nemotron": "nvidia", "nvidia": "nvidia", "granite": "ibm",
}  # fmt: skip
USE = (
    r"(?:please )?(?:use|using|i want|i'd like|ask|let|try|run (?:it |this )?on|"
    r"prefer|preferably|must be|has to be|want to use|only|stick (?:to|"
    r"with)|go with|with|via|benutze|verwende|nimm|mit|nur|"
    r"utilise[rz]?|avec|usa|utiliza|usar|con|solo|use|com|usando|usa|используй\w*|через|с помощью|用|"
    r"使用|で|を使って|का उपयोग|استخدم)"
)
REFUSED_THINGS = (
    r"usar |usare |utiliser |using |use |any |the |from |made by |by |models? (?:by |from )?|modelos? (?:de |da |do )?|"
    r"modelle?n? (?:von )?|mod[eè]les? d(?:e |')|modelli (?:di )?|модел\w+ (?:от )?|von |de |di |d'|от "
)
NATIONS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "Chinese": (
        r"chinese|china|chinesisch\w*|chinois\w*|chin[oa]s?|chines(?:a|es|as)?|chinês|cinesi?|китайск\w+|中国的?|国产|中国製の?",
        (
            "alibaba", "deepseek", "moonshotai", "zai", "zai-org", "minimax", "xiaomi", "bytedance", "tencent", "inclusionai", "stepfun",
            "baidu", "01-ai", "baai", "kwaipilot", "meituan", "nex-agi", "dots-studio",
        ),
    ),
    "American": (
        r"american|us|amerikanisch\w*|américains?|american[oai]s?|американск\w+|美国的?|アメリカ製の?",
        (
            "openai", "anthropic", "google", "meta", "xai", "microsoft", "amazon", "ibm", "nvidia", "perplexity", "ai2", "liquid", "arcee",
            "inception", "nousresearch", "poolside", "cognition", "thinkingmachines", "reflection", "writer",
        ),
    ),
    "European": (
        r"european|eu|europäisch\w*|européens?|europe[oaui]s?|европейск\w+|欧洲的?|欧州製の?",
        ("mistral", "black-forest-labs"),
    ),
}  # fmt: skip
"""Where makers have their seat, as far as known -> (how it is said, makers of the catalogue)."""

NATION_MODELS = (
    r"(?:\s?(?:ai|llm))?\s?(?:models?|llms?|ai|makers?|companies|vendors?|modelle?n?|ki|anbieter\w*|modèles?|modelos?|modell[oi]|"
    r"модел\w+|模型|モデル)"
)
NATION_REFUSED = (
    r"no|not|never|without|avoid|exclude|anything but|nothing|kein\w*|ohne|keine|nicht|pas de|sans|aucun|ningún|sin|nada de|sem|"
    r"nenhum|senza|niente|nessun|без|不要用?|不用|除了"
)
_NO_PICTURE = r"\b(?!.{0,30}(?:beschreib|text|code|código|css|html|svg))"
PICTURES = (
    r"(?:erstelle?|generiere?|zeichne|male|mach\w*|entwirf) (?:mir )?(?:ein(?:e|en)? |das )?(?:[\wäöüß]+ ){0,2}"
    rf"(?:bild|foto|logo|illustration|zeichnung|poster){_NO_PICTURE}|"
    r"(?:génère|crée|dessine|fais|générer|créer|produis)(?:[- ]moi)? (?:une? |l')(?:\w+ ){0,2}"
    rf"(?:image|photo|illustration|logo|dessin|affiche){_NO_PICTURE}|"
    r"(?:crea|genera|dibuja|haz|diseña)(?:me)? (?:una? |el |la )(?:\w+ ){0,2}"
    rf"(?:imagen|foto|ilustración|logo|logotipo|dibujo){_NO_PICTURE}|"
    r"(?:crie|gere|desenhe|faça|cria|gera) (?:uma? |o |a )(?:\w+ ){0,2}"
    rf"(?:imagem|foto|ilustração|logo|logotipo|desenho){_NO_PICTURE}|"
    r"(?:crea|genera|disegna|fai)(?:mi)? (?:un[ao]? |un'|il |la )(?:\w+ ){0,2}"
    rf"(?:immagine|foto|illustrazione|logo|disegno){_NO_PICTURE}|"
    r"(?:нарисуй|сгенерируй|создай|сделай) (?:\w+ ){0,3}(?:картинк|изображени|рисунок|логотип|иллюстраци|фото)|"
    r"(?:生成|画|绘制|制作|创建|设计)一?(?:张|个|幅|副)?[^。，,代码]{0,12}(?:图片|图像|插画|海报|标志|logo|头像|照片)|"
    r"(?:画像|イラスト|絵|ロゴ|写真)を(?:生成|作成|作っ|描)|"
    r"(?:أنشئ|اصنع|صمم) (?:\w+ ){0,2}(?:صورة|شعار)"
)
FILMS = (
    r"(?:erstelle?|generiere?|mach\w*) (?:mir )?ein (?:\w+ ){0,2}video\b|(?:génère|crée|fais) une (?:\w+ )?vidéo\b|"
    r"(?:crea|genera|haz) un (?:\w+ )?v[ií]deo\b|(?:crie|gere|faça) um (?:\w+ )?vídeo\b|(?:сгенерируй|создай|"
    r"сделай) (?:\w+ )?видео|"
    r"(?:生成|制作|做)一?(?:个|段)?[^。，,]{0,8}视频|動画を(?:生成|作成|作っ)"
)
PLACES = (
    r"switzerland|germany|france|italy|spain|netherlands|ireland|sweden|uk|united kingdom|britain|canada|india|japan|china|"
    r"australia|brazil|singapore|korea|norway"
)
REFUSE = (
    r"(?:no|not|never|without|except|anything but|any(?:thing)? (?:other than|except)|don't use|"
    r"do not use|avoid|exclude|excluding|instead of|"
    r"kein|keine|nicht|ohne|außer|pas de|sans|sauf|no uses|sin|excepto|sem|exceto|não use|senza|"
    r"tranne|не используй\w*|без|кроме|不要用|不用|除了|"
    r"以外|بدون|لا تستخدم)"
)
