"""Phrases that state a condition, by condition, in English and ten other languages: patterns over lower-case text.

Data for `reading.py`; precision first, as in `grammar.py`.
"""

from collections.abc import Mapping

_CHEAP = (
    r"cheap(?:est|er)?|inexpensive|low[- ]cost|budget[- ]friendly|billig\w*|günstig\w*|preiswert\w*|pas cher|bon marché|économique|"
    r"barat[oa]s?|económic[oa]s?|econômic[oa]s?|economic[oa]|a buon mercato|tani\w*|najtani\w+|goedko\w+|ucuz\w*"
)
_GRATIS = r"kostenlos\w*|umsonst|gratuit\w*|gratis|бесплатн\w+|darmow\w+|ücretsiz"
_A_MODEL = r"models?|llms?|ai|options?|one|variante\w*|ki|modèles?|modelos?|modell[oiea]?n?|модел\w+|opcj\w+"

PHRASES: Mapping[str, tuple[str, ...]] = {
    "json": (
        (
            r"json[- ](?:mode|only|schema (?:mode|output))|(?:only|valid|strict|strictly) json\b(?= (?:output|please|"
            r"back)|\s*[,;:.!)]|$)"
        ),
        (
            r"structured outputs?\b|(?:must|has to|should) (?:return|answer in|be|output|reply in) (?:only |valid |"
            r"strict |strictly )*json\b"
        ),
    ),
    "no_thinking": (
        (
            r"without (?:any |much )?(?:thinking|reasoning)\b|non[- ](?:thinking|reasoning) (?:model|mode)|"
            r"no (?:thinking|reasoning)(?=\s*[,;:.!)]|$)"
        ),
        (
            r"ohne (?:langes )?nachdenken|ohne (?:reasoning|denken)\b|sans réfléchir|sans raisonnement|sin (?:pensar|"
            r"razonar)|sem pensar|senza pensare"
        ),
        r"без рассуждений|不(?:要|用)思考|考えずに",
    ),
    "thinking": (
        (
            r"(?:think|reason) (?:very |really |as )?(?:hard|deeply|carefully|long)\b(?! about it)|(?:deepest|maximum|"
            r"max|high|deep) reasoning(?: effort)?\b"
        ),
        (
            r"(?:max(?:imum)?|high(?:est)?) effort\b|denk\w* (?:gründlich|lange|gut) nach|réfléchis bien|piensa bien|"
            r"深度思考|よく考えて"
        ),
    ),
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
        r"(?:sin|sem|senza|sans) (?:enviar|mandar|inviare|envoyer) (?:\w+ ){0,2}(?:datos|dados|dati|données)",
        r"ohne (?:\w+ )?daten (?:nach außen|weiterzugeben|rauszugeben|zu (?:versenden|verschicken|übertragen))",
        r"(?:gegevens|data) mogen (?:\w+ ){0,3}niet verlaten|dane nie mogą opuścić|데이터(?:가|를) 외부",
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
        r"\b(?:vision|multimodal) (?:model|llm)s?\b|(?:, | and |model )with vision\b|vision[- ](?:capable|enabled)",
        r"(?:model|llm|one) (?:that|which) (?:can )?(?:reads?|sees?|understands?) (?:images|pictures|photos|screenshots|scans)\b",
    ),
    "tools": (
        r"(?:model|llm|one) (?:that |which )?(?:can |could )?(?:reliably )?(?:calls?|uses?) (?:tools|functions)\b",
        r"(?:needs?|must (?:have|support|do)|model with|requires?|supports?) (?:\w+ )?(?:tool|function)[- ](?:call\w*|use)\b",
    ),
    "no_training": (
        (
            r"(?:code|data|documents?|files?|contracts?|texts?|material|contents?|everything|it) (?:is|"
            r"are) (?:strictly |highly |very )?"
            r"(?:confidential|secret)(?=\s*[,;:.!)]|$| and\b| so\b)"
        ),
        r"no training(?: on (?:my|our|the) data)?(?=\s*[,;:.)]|$)",
        r"(?:not|never|n't) (?:be )?(?:used|use) (?:\w+ )?(?:for|to) train\w*",
        r"(?:don't|do not|doesn't|does not|must not|may not|won't|never) train on",
        r"nothing (?:may|must|should|can|is to) be (?:\w+ )?(?:stored|kept|logged|retained|saved)",
        (
            r"(?:must not|may not|mustn't|cannot|can't|don't|do not|won't|never) (?:\w+ (?:or|and|nor) )?(?:store|"
            r"retain|keep|log)(?: (?:or|and|nor) train on)? "
            r"(?:any of )?(?:my|our|the|any|this) (?:data|prompts?|texts?|inputs?|documents?|files?|conversations?)"
        ),
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
        (
            r"nothing (?:may|must|can|should|is allowed to) leave (?:the )?(?:eu|european union|europe|eea|germany)\b|"
            r"die eu nicht verlassen|(?:ne pas|jamais) quitter l'(?:ue|europe)|no (?:pueden?|deben?) salir de la ue"
        ),
        r"(?:deutschland|österreich|europa|die eu|den eu-raum) nicht verlassen",
        r"\beu[- ](?:only|hosted|hosting|cloud|based|region|servers?|data ?cent\w+|residency|providers?)\b",
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
        r"open[- ]source (?:models?|llms?|ai)\b|(?<!w )\bopen models?\b",
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
        r"(?:^|[,;:(] ?)free(?=\s*[,;:.)]|$)",
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
            rf"(?:^|[,;:(.?!]\s*)(?:and |but |aber |mais |pero |e |the |il più |le plus |lo más |o mais |as |so |"
            rf"very )*(?:{_CHEAP})"
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
        (
            r"(?:le )?(?:moins cher|plus économique) possible|au moindre coût|lo más barato|o mais barato|"
            r"il più economico|al menor costo"
        ),
        r"как можно дешевле|подешевле|(?:дешёв|дешев|недорог)\w* модел\w*|(?:^|[,;:.] )(?:дёшево|дешево|недорого)(?=\s*[,;:.!)]|$)",
        r"najtaniej|jak najtańsz\w+|zo goedkoop mogelijk|en ucuz\w*|저렴",
        r"make (?:it|them|this|that) last|whichever is (?:the )?cheap\w+",
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
        r"(?:money|price|cost) (?:is )?no (?:object|issue)|\b(?:the )?(?:absolute|very) best (?:for|model|there)",
        r"(?:cost|price) (?:doesn't|does not) matter",
        r"(?:best|highest) (?:possible )?quality",
        r"best possible (?:answer|result|model|quality)",
        r"whatever it costs",
        r"as good as possible|best (?:results?|answers?) possible|so gut wie möglich|le mieux possible|lo mejor posible",
        r"quality (?:matters most|comes first|is (?:the most important|paramount|everything)|over (?:price|cost))",
        r"(?:cost|price|money) (?:is|comes) (?:secondary|second|irrelevant|unimportant|no concern)",
        (
            r"(?<!train )(?:the )?(?:best|smartest|strongest|most capable|most accurate|most intelligent) (?:ai |"
            r"available )?(?:model|llm)"
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
