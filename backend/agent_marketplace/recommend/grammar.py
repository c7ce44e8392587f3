"""The words in which people state conditions on a model, in English and ten other languages. Data for `reading.py`.

Precision first: a phrase is here only if it speaks of how the work is to be done, never of what the work is about.
"""

from collections.abc import Mapping

NUMBER = r"\d{1,3}(?:[,.\u202f ]\d{3})+(?!\d)|\d+(?:[.,]\d+)?"

CURRENCY = r"\$(?!\d)|us\$|usd|dollars?|bucks?|美元|美金|ドル|달러|dólares?|dollari|dolarów|dolary|dolar|доллар\w*|डॉलर|دولارات?|دولار"
CENTS = r"cents?|¢|ct|penny|pennies|美分|セント|centavos?|цент\w*|센트|सेंट|سنتات?|سنت|centimes?|centesimi"
EURO = r"€|eur|euros?|欧元|ユーロ|евро|यूरो|يورو"

CAP = (
    r"(?:don't|won't|not|never) (?:\w+ ){0,2}(?:spend|pay|cost) more than|not more expensive than|"
    r"under|below|less than|at most|no more than|not more than|up to|within|max(?:imum|\.)?|"
    r"cheaper than|for|budget(?: of| is|:)?|"
    r"cap(?: of|:)?|limit(?: of|:)?|only have|i have|spend(?: at most)?|(?:must|should|may|can) cost|max(?:imum)? costs?|<=?|"
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
    r"each|apiece|a piece|per (?:\w+)|a call|an? (?:answer|request|question|ticket|email|document|"
    r"page|message|image|item)|"
    r"pro (?:\w+)|je (?:\w+)|chacune?|par (?:\w+)|cada (?:\w+)|cada uno|por (?:\w+)|ciascuno|"
    r"a testa|за (?:\w+)|каждый|"
    r"每(?:次|个|条|封|张|篇)|一(?:件|回|通)あたり|प्रति \w+|لكل \w+"
)
PERIOD: Mapping[str, str] = {
    "month": (
        r"(?:a|per|each|every|/) ?(?:month|mo\b)|monthly|im monat|pro monat|monatlich|"
        r"par mois|mensuel\w*|al mes|por mes|"
        r"mensual\w*|por mês|ao mês|mensais|al mese|mensil\w*|в месяц|每月|一个月|毎月|月に|月額|प्रति माह|شهريا|"
        r"في الشهر"
    ),
    "day": (
        r"(?:a|per|each|every|/) ?day|daily|am tag|pro tag|täglich|par jour|al día|por día|"
        r"por dia|al giorno|в день|每天|一天|"
        r"毎日|一日|प्रति दिन|يوميا|في اليوم"
    ),
    "week": (
        r"(?:a|per|each|every|/) ?week|weekly|pro woche|par semaine|por semana|alla settimana|"
        r"в неделю|每周|毎週|في الأسبوع"
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
    r"bewertungen|mails|fotos|zgłosze\w+|wiadomości|faktur|opini\w*"
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
    "page": (650.0, r"pages?|pp|seiten?|páginas?|pagine|страниц\w*|stron[ya]?|sayfa|pagina's|페이지|页|ページ|頁|पृष्ठ|पेज|صفحات|صفحة"),
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
    r"przetłumacz\w*|przełóż|vertaal|çevir\w*|번역|tradui\w*|réécri\w*|traduc\w*|traduz\w*|reescrib\w*|reescrev\w*|traduci\w*|riscriv\w*|"
    r"перевед\w*|перепиш\w*|翻译|改写|重写|翻訳|"
    r"書き直\w*|अनुवाद|ترجم\w*"
)

_CHEAP = (
    r"cheap(?:est|er)?|inexpensive|low[- ]cost|budget[- ]friendly|billig\w*|günstig\w*|preiswert\w*|pas cher|bon marché|économique|"
    r"barat[oa]s?|económic[oa]s?|econômic[oa]s?|economic[oa]|a buon mercato|tani\w*|najtani\w+|goedko\w+|ucuz\w*"
)
_GRATIS = r"kostenlos\w*|umsonst|gratuit\w*|gratis|бесплатн\w+|darmow\w+|ücretsiz"
_A_MODEL = r"models?|llms?|ai|options?|one|variante\w*|ki|modèles?|modelos?|modell[oiea]?n?|модел\w+|opcj\w+"

PHRASES: Mapping[str, tuple[str, ...]] = {
    "offline": (
        (
            r"(?:models?|llms?|ai|something|one) (?:that |which )?(?:i |we )?(?:can|could|will|to) (?:run|use|host) on "
            r"(?:an?|my|our|this) (?:[\w-]+ ){0,3}(?:laptop|notebook|macbook|mac|pc|desktop|computer|raspberry pi|phone|gpu)\b"
        ),
        (
            r"(?:must|should|has to|have to|needs? to|can only) (?:run|work|stay|"
            r"be)(?: \w+)? (?:offline|locally|local|on[- ]prem\w*|on my)"
        ),
        (
            r"runs? (?:offline|locally|on (?:my|our|this) (?:own )?(?:laptop|machine|computer|hardware|"
            r"server|pc|mac))"
        ),
        r"(?:local|offline|on[- ]prem(?:ises?)?|self[- ]hosted)[- ](?:only|models?|llms?)\b",
        (
            r"(?:no|none of (?:my|our)) data (?:may|can|must|should|shall|is allowed to|"
            r"to) (?:ever )?leave"
        ),
        (
            r"(?:data|it|text|files?|documents?|nothing|information) (?:must|may|can|should|is) ?"
            r"(?:not|n't|never)?(?: be allowed to)? leaves? (?:the|my|our|this)"
        ),
        (
            r"(?:must not|mustn't|may not|cannot|can't|never|nothing) leaves? (?:the|my|our|"
            r"this) (?:\w+ )?"
            r"(?:house|building|network|machine|laptop|computer|company|office|premises|server|country)"
        ),
        r"air[- ]?gapped",
        r"without (?:an |the )?internet(?: connection| access)?\b",
        (
            r"(?:^|[,;(.]\s*)(?:fully |completely )?(?:offline|locally|local only|on[- ]prem(?:ises?)?|"
            r"self[- ]hosted)(?:\s*[,;:.)]|$)"
        ),
        r"\b(?:and|but|fully|completely) (?:local|offline|self[- ]hosted|on[- ]prem\w*)(?:\s*[,;:.)]|$)",
        r"on[- ]device\b",
        r"(?:do|run|process|handle|keep) (?:it|this|that|them|everything) (?:\w+ )?(?:offline|locally|local)\b",
        r"on my own (?:gpu|hardware|machine|server|laptop|computer|mac|pc)\b",
        r"(?:nur|muss|soll) (?:lokal|offline)",
        r"(?:lokal|offline) laufen",
        r"(?:daten|nichts) dürfen? (?:\w+ )?(?:haus|netz|rechner|firma) (?:nicht )?verlassen",
        r"ohne internet",
        r"hors[- ]ligne",
        r"en local\b",
        r"sans (?:connexion )?internet",
        r"aucune donnée ne (?:doit|peut) (?:sortir|quitter)",
        r"sin (?:conexión (?:a )?)?internet",
        r"sin conexión",
        r"en local\b",
        r"localmente",
        r"ningún dato (?:puede|debe) salir",
        r"sem (?:conexão (?:à )?)?internet",
        r"nenhum dado pode sair",
        r"senza (?:connessione (?:a )?)?internet",
        r"in locale\b",
        r"офлайн",
        r"оффлайн",
        r"локально",
        r"без интернета",
        r"данные не должны покидать",
        r"离线",
        r"本地(?:运行|模型|部署)",
        r"数据不(?:能|得|可)(?:离开|外传|出)",
        r"lokalnie",
        r"bez internetu",
        r"internet olmadan",
        r"zonder internet",
        r"오프라인",
        r"オフライン",
        r"ローカル(?:で|モデル)",
        r"データを外に出さ",
        r"ऑफ़?लाइन",
        r"इंटरनेट के बिना",
        r"بدون إنترنت",
        r"دون اتصال",
        r"محليا",
    ),
    "vision": (
        r"\b(?:vision|multimodal) (?:model|llm)s?\b",
        r"(?:model|llm|one) (?:that|which) (?:can )?(?:reads?|sees?|understands?) (?:images|pictures|photos|screenshots|scans)\b",
    ),
    "tools": (
        r"(?:model|llm|one) (?:that |which )?(?:can |could )?(?:reliably )?(?:calls?|uses?) (?:tools|functions)\b",
        r"(?:needs?|must (?:have|support|do)|model with|requires?|supports?) (?:\w+ )?(?:tool|function)[- ](?:call\w*|use)\b",
    ),
    "no_training": (
        (
            r"(?:code|data|documents?|files?|contracts?|texts?|material|contents?|everything|it) (?:is|are) (?:strictly |highly |very )?"
            r"(?:confidential|secret)(?=\s*[,;:.!)]|$| and\b| so\b)"
        ),
        r"no training(?: on (?:my|our|the) data)?(?=\s*[,;:.)]|$)",
        r"(?:not|never|n't) (?:be )?(?:used|use) (?:\w+ )?(?:for|to) train\w*",
        r"(?:don't|do not|doesn't|does not|must not|may not|won't|never) train on",
        r"zero[- ]data[- ]retention",
        r"\bzdr\b",
        r"no (?:data )?retention",
        r"nicht (?:zum|für(?:s)?|fürs) training",
        r"kein training mit",
        r"pas d'entraînement",
        r"ne (?:doit|doivent) pas servir à (?:l'entraînement|entraîner)",
        r"sin entrenamiento",
        r"no (?:se )?(?:usen?|utilicen?) para entrenar",
        r"sem treinamento",
        r"não (?:sejam )?usad\w+ para trein\w+",
        r"nessun addestramento",
        r"без обучения на",
        r"не использовать для обучения",
        r"不(?:得|能|用于|可用于).{0,6}训练",
        r"学習に使(?:わ|用し)ない",
        r"प्रशिक्षण के लिए नहीं",
        r"دون تدريب",
        r"لا تستخدم للتدريب",
    ),
    "eu": (
        (
            r"(?:must not|mustn't|may not|cannot|can't|never|not allowed to|not) (?:be )?(?:leaves?|sent outside|moved out of) "
            r"(?:of )?(?:the )?(?:eu|european union|europe|eea|germany|france)\b"
        ),
        r"die eu nicht verlassen|(?:ne pas|jamais) quitter l'(?:ue|europe)|no (?:pueden?|deben?) salir de la ue",
        r"\beu[- ](?:only|hosted|based|region|servers?|data ?cent\w+|residency|providers?)\b",
        (
            r"(?:stays?|remains?|kept|hosted|processed|stored|servers?|residency|run|"
            r"located) (?:\w+ ){0,3}?"
            r"(?:in|within|inside) (?:the )?(?:eu|european union|europe|germany|france|italy|spain|netherlands|ireland|sweden)\b"
        ),
        r"(?:^|[.,;:(]\s*)(?:in the )?eu(?:\s*[,;:.)]|$)",
        r"gdpr[- ](?:compliant|conform)",
        r"dsgvo[- ]?konform",
        r"in der eu\b(?=.{0,30}(?:bleib|gehost|verarbeit|gespeichert|server))",
        r"(?:server|daten|hosting) (?:\w+ ){0,3}in (?:der eu|europa|deutschland)",
        r"(?:hébergé|rester|stocké|traité)\w* (?:\w+ ){0,2}(?:en europe|dans l'ue|en france)",
        r"conforme (?:au rgpd|al rgpd|à lgpd)",
        r"(?:alojad|permane[cz]|qued|proces)\w* en (?:la ue|europa)",
        r"(?:hospedad|fiqu|fica)\w* na (?:ue|europa)",
        r"(?:ospitat|restar|resti)\w* (?:nell'ue|in europa)",
        r"(?:серверы|данные|хран\w*|оста\w*) (?:\w+ ){0,2}в (?:ес|европе)",
        r"(?:欧盟|欧洲)(?:境内|服务器|托管|区域)|(?:留|存|放)在欧(?:盟|洲)",
        r"(?:eu|欧州)(?:域内|リージョン|サーバー)",
        r"في الاتحاد الأوروبي",
    ),
    "us": (
        r"\bus[- ](?:only|hosted|based|region|servers?)\b",
        (
            r"(?:stays?|remains?|kept|hosted|processed|stored|servers?) (?:\w+ ){0,2}?(?:in|within|"
            r"inside) (?:the )?(?:us|usa|united states)\b"
        ),
    ),
    "open_weights": (
        r"open[- ]?weights?\b",
        r"open[- ]source (?:models?|llms?|ai)\b",
        r"(?:freie|offene|open-source-)\s?(?:modelle?|gewichte)\b",
        r"offenen? (?:modell|gewichten)",
        r"poids ouverts",
        r"modèles? (?:ouverts?|open[- ]source)",
        r"pesos abiertos",
        r"modelos? (?:abiertos?|de código abierto|open[- ]source)",
        r"pesos abertos",
        r"modelos? (?:abertos?|de código aberto)",
        r"pesi aperti",
        r"modell[oi] open[- ]source",
        r"открыты(?:е|ми|х) вес\w*",
        r"открыт\w+ модел\w+",
        r"开源(?:模型|大模型)",
        r"开放权重",
        r"オープン(?:ウェイト|ソース)(?:の)?(?:モデル)?",
        r"ओपन[- ]?सोर्स मॉडल",
        r"نموذج مفتوح المصدر",
        r"نماذج مفتوحة المصدر",
    ),
    "free": (
        r"(?:i|we) (?:have|'ve got|got) (?:no|zero) (?:money|budget)(?: (?:for|to spend on) (?:it|this|ai))?(?=\s*[,;:.!)]|$)",
        r"(?:no|zero|without any) budget(?=\s*[,;:.!)]|$)",
        r"(?:can't|cannot|can not|don't want to|do not want to) (?:pay|spend) (?:anything|for it|any money)\b",
        r"(?:for|completely|totally) free(?: of charge)?(?=\s*[,;:.!)]|$)(?<!, completely free)",
        r"(?:any|only) free models?",
        r"(?:^|[.,;:(]\s*)free (?:models?|llms?)\b",
        r"(?:something|anything|one|model|option) (?:that is |that's )?free(?! of (?!charge|cost)| from)\b",
        r"free (?:model|llm|ai|option|tier)\b",
        r"(?:must|should|has to) be free(?=\s*[,;:.!)]|$)",
        r"\$0(?![.,\d])",
        r"(?:must|should|may) costs? nothing",
        rf"(?:{_GRATIS}) (?:{_A_MODEL})(?![^\W_])|(?:{_A_MODEL}) (?:{_GRATIS})(?![^\W_])",
        rf"(?:^|[,;:(.]\s*)(?:{_GRATIS})(?=\s*[,;:.!)]|$)",
        r"za darmo",
        r"무료",
        r"免费(?:的)?(?:模型|大模型|ai)|(?:要|用|必须)免费|(?:^|[，,。])免费(?=[，,。：:]|$)",
        r"無料(?:の)?(?:モデル|ai)|無料で",
        r"मुफ़?्त",
        r"مجانا|نموذج مجاني",
    ),
    "cheap": (
        rf"(?:{_CHEAP})(?: \w+)? (?:{_A_MODEL})(?![^\W_])",
        rf"(?:{_A_MODEL}) (?:(?:más|mais|plus|più|bem|muito|molto|muy|très) )?(?:{_CHEAP})(?![^\W_])",
        (
            rf"(?:^|[,;:(.]\s*)(?:and |but |aber |mais |pero |e |the |il più |le plus |lo más |o mais |as |so |very )*(?:{_CHEAP})"
            r"(?: please| bitte| possible)?(?=\s*[,;:.!)]|$| (?:and|und) (?:fast|quick|good|schnell))"
        ),
        r"cheap(?:est|er) (?:way|choice) (?:to|for)\b",
        r"(?:as|so) (?:cheap|inexpensive)(?:ly)? as (?:possible|you can|it gets)",
        r"(?:keep|make|do) (?:it|this|them) (?:\w+ )?(?:cheap|cheaply)\b|\bcheaply\b",
        r"(?:^|[,;:(.]\s*|i(?:'m| am) )on a (?:tight |small )?budget(?=\s*[,;:.!)]|$)",
        r"(?:tight|small|low|tiny) budget(?=\s*[,;:.!)]|$)",
        r"as little (?:money )?as possible",
        r"(?:costs?|price) (?:matters? most|is (?:what matters|all that matters|the most important))",
        r"(?:möglichst|so) (?:billig|günstig|preiswert)\w*(?: wie möglich)?",
        r"(?:le )?(?:moins cher|plus économique) possible|au moindre coût|lo más barato|o mais barato|il più economico|al menor costo",
        r"как можно дешевле|подешевле|(?:дешёв|дешев|недорог)\w* модел\w*|(?:^|[,;:.] )(?:дёшево|дешево|недорого)(?=\s*[,;:.!)]|$)",
        r"najtaniej|jak najtańsz\w+|zo goedkoop mogelijk|en ucuz\w*|저렴",
        r"make (?:it|them|this|that) last",
        r"便宜(?=的?(?:模型|大模型|翻译|总结|一点|点))|(?:尽量|尽可能|越)便宜|省钱",
        r"(?:できるだけ|なるべく|一番)(?:安い|安く)|安い(?:モデル|の)",
        r"सस्त\w*",
        r"رخيص\w*",
    ),
    "fast": (
        r"as (?:fast|quickly|soon) as possible",
        r"\basap\b",
        r"low(?:est)?[- ]latency",
        r"real[- ]?time (?:answers?|replies|responses?|chat)",
        r"(?:needs?|must|should|has) (?:to )?(?:be|answer|reply) (?:very |really )?(?:fast|quick\w*)",
        r"(?:^|[,;(]\s*)(?:and )?fast(?:\s*[,;:.)]|$)",
        r"fast(?:est)? (?:model|answers?|replies)",
        r"(?:fastest|quickest) (?:\w+ )?(?:model|llm|option|one)\b",
        r"(?:cheap|good) and fast\b",
        r"speed (?:matters(?: most)?|is (?:everything|key|what matters|most important))",
        r"latency (?:under|below|of at most)",
        r"so schnell wie möglich",
        r"(?:schnell\w*) (?:antwort\w*|modell)",
        r"le plus vite possible",
        r"lo más rápido posible",
        r"o mais rápido possível",
        r"il più veloce possibile",
        r"как можно быстрее",
        r"尽快",
        r"越快越好",
        r"できるだけ早く",
        r"जल्द से जल्द",
        r"بأسرع ما يمكن",
    ),
    "best": (
        r"money (?:is )?no (?:object|issue)",
        r"(?:cost|price) (?:doesn't|does not) matter",
        r"(?:best|highest) (?:possible )?quality",
        r"best possible (?:answer|result|model|quality)",
        r"whatever it costs",
        r"quality (?:matters most|comes first|is (?:the most important|paramount|everything)|over (?:price|cost))",
        r"(?:cost|price|money) (?:is|comes) (?:secondary|second|irrelevant|unimportant|no concern)",
        (
            r"(?<!train )(?:the )?(?:best|smartest|strongest|most capable|most accurate|most intelligent) (?:ai |available )?(?:model|llm)"
            r"(?= (?:for|to|you have|there is|available|money)\b|\s*[,;:.?!]|$)"
        ),
        r"(?:best|smartest|strongest)[\w ]{0,16} (?:money can buy|there is|on the market)",
        r"accuracy (?:is|matters) (?:very |really |most |the most )*(?:important|critical|crucial|key|most|everything)",
        r"(?:das|mit dem|vom) (?:beste\w*|klügste\w*|stärkste\w*) modell",
        r"qualität (?:ist|geht) (?:am wichtigsten|vor|entscheidend)",
        r"le meilleur modèle",
        r"la qualité (?:prime|avant tout)",
        r"el mejor modelo",
        r"o melhor modelo",
        r"il miglior modello",
        r"(?:самая |самую )?лучш\w+ модел\w+",
        r"最(?:好|强)的模型",
        r"一番(?:良|賢)いモデル",
        r"geld spielt keine rolle",
        r"bestmögliche?\w*",
        r"peu importe le prix",
        r"sin importar el (?:precio|costo|coste)",
        r"não importa o preço",
        r"a qualunque costo",
        r"цена не важна",
        r"不(?:在乎|计|惜)(?:价格|成本|代价)",
        r"コストは(?:問わない|気にしない)",
        r"最高品質",
    ),
}
"""What a condition is called -> patterns over the lower-case text."""

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
    r"(?:crea|genera|haz) un (?:\w+ )?v[ií]deo\b|(?:crie|gere|faça) um (?:\w+ )?vídeo\b|(?:сгенерируй|создай|сделай) (?:\w+ )?видео|"
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
