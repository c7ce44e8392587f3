"""What people type for a wish, in English and ten other languages: (the word that the search knows, pattern). Order matters."""

WORDS: tuple[tuple[str, str], ...] = (
    ("longcontext", r"\b(long|large|big|huge)[ -]?context\b|\b1m\b"),
    (
        "openweights",
        (
            r"\bopen[ -]?(source|weights?)\b|开源|オープンソース|quelloffen\w*|código abierto|código aberto|"
            r"открыт\w+ вес\w*"
        ),
    ),
    (
        "imagegen",
        (
            r"\b(image|picture) (generation|generator|maker|creation)\b|\btext[ -]to[ -]image\b|"
            r"génération d.images?|bild(?:er)?generierung|bilderzeugung|bild(?:er)? (?:erstellen|generieren|erzeugen)|"
            r"создать картинку|генерация изображений|图片生成|生成图片|画像生成|"
            r"generación de imágenes|crear imágenes|geração de imagens|generazione di immagini|"
            r"генерац\w+ изображени\w*|图像生成|图片生成|生成图[片像]|文生图|画像生成"
        ),
    ),
    (
        "speechout",
        (
            r"\btext[ -]to[ -]speech\b|\btts\b|\bspeech synthesis\b|sprachausgabe|sprachsynthese|"
            r"synthèse vocale|синтез речи|语音合成|音声合成"
        ),
    ),
    (
        "tools",
        (
            r"\b(function|tool)[ -]?(call(s|ing)?|use)\b|工具调用|ツール|werkzeuge?\b|herramientas|ferramentas|"
            r"инструмент\w*"
        ),
    ),
    ("json", r"\bstructured[ -]?outputs?\b"),
    ("openai", r"\bopen[ -]ai\b"),
    (
        "audio",
        (
            r"\b(speech|voice|audio)[ -]to[ -]text\b|\btranscri\w+|spracherkennung|voz a texto|"
            r"reconocimiento de voz|reconhecimento de voz|reconnaissance vocale|распознавани\w+ речи|语音识别|"
            r"音声認識|语音|音声"
        ),
    ),
    (
        "embeddings",
        r"\bre-?rank(er|ers|ing)?\b|嵌入|向量|埋め込み|эмбеддинг\w*|вектор\w*|ベクトル|vectores|vetores|vettori|vektor\w*|einbettung\w*|plongements?\b",
    ),
    ("free", r"бесплатн\w*|免费|無料|kostenlos\w*|gratuit\w*|मुफ़?्त|مجان\w+"),
    (
        "cheap",
        r"дешев\w*|便宜|安い|billig\w*|günstig\w*|barat[oa]s?|econ[oóô]mic[oa]s?|pas cher|सस्त\w*|رخيص\w*",
    ),
    (
        "fastest",
        (
            r"\bschnell(?:e[rsn]?|ste[rsn]?)?\b(?!-)(?<!-schnell)|\brapides?\b|r[áa]pid[oa]s?|veloc[ei]\w*|"
            r"быстр\w*|快速|最快|快|速い|高速|तेज़?|سريع\w*"
        ),
    ),
    (
        "vision",
        r"изображени\w*|图像|图片|视觉|画像|\bbilder\b|\bbildern\b|imágenes|imagens|immagini|छवि|صور\w*",
    ),
    ("video", r"视频|動画|видео|vídeo"),
    (
        "code",
        (
            r"программир\w*|编程|代码|写代码|コード|プログラミング|programmier\w*|programaci[oó]n|programa[cç][aã]o|"
            r"programmation|programmazione"
        ),
    ),
    (
        "reasoning",
        r"рассужд\w*|推理|思考|推論|razonamiento|raciocínio|raisonnement|schlussfolger\w*|ragionamento",
    ),
    (
        "longcontext",
        r"длинн\w* контекст\w*|长上下文|長いコンテキスト|langer kontext|contexto largo|contexte long|contexto longo",
    ),
    ("local", r"本地|ローカル|オフライン|离线|\blokal\w*|локальн\w*|hors[ -]ligne|sin conexión"),
    (
        "anychat",
        r"翻译|翻訳|übersetz\w*|traduc\w*|tradução|traduire|traduction|перевод\w*|अनुवाद|ترجم\w*|聊天|チャット|写作",
    ),
)
