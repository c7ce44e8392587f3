"""What a generateContent request may hold on the operator's key (Gemini API reference, "GenerateContentRequest"). The tools
among it are those that the caller runs; Google bills its own searches, maps and pages, and the tokens that they read."""

from agent_marketplace.wires.shared.vocabulary import (
    FLAG,
    FREE,
    NUMBER,
    TEXT,
    WHOLE,
    Vocabulary,
    either,
    google,
    many,
    one_of,
)

_BLOB = google(mimeType=TEXT, data=TEXT, displayName=TEXT)
_FILE = google(mimeType=TEXT, fileUri=TEXT, displayName=TEXT)
_PART = google(
    "text inlineData fileData functionCall functionResponse thoughtSignature",
    text=TEXT, thought=FLAG, thoughtSignature=TEXT, inlineData=_BLOB, fileData=_FILE,
    functionCall=google(id=TEXT, name=TEXT, args=FREE),
    functionResponse=google(
        id=TEXT, name=TEXT, response=FREE, willContinue=FLAG, scheduling=TEXT,
        parts=many(google(inlineData=_BLOB, fileData=_FILE)),
    ),
    videoMetadata=google(startOffset=TEXT, endOffset=TEXT, fps=NUMBER),
    mediaResolution=google(level=TEXT),
)  # fmt: skip
_PARTS = either(many(_PART), _PART)
_CONTENT = google(role=TEXT, parts=_PARTS)
_TOOL = google(
    "functionDeclarations computerUse",
    functionDeclarations=many(
        google(name=TEXT, description=TEXT, parameters=FREE, parametersJsonSchema=FREE, behavior=TEXT)
    ),
    computerUse=google(environment=TEXT, excludedPredefinedFunctions=many(TEXT)),
)
_VOICE = google(prebuiltVoiceConfig=google(voiceName=TEXT))
_SPEECH = google(
    voiceConfig=_VOICE,
    languageCode=TEXT,
    multiSpeakerVoiceConfig=google(speakerVoiceConfigs=many(google(speaker=TEXT, voiceConfig=_VOICE))),
)
_CONFIG = google(
    maxOutputTokens=NUMBER, temperature=NUMBER, topP=NUMBER, topK=NUMBER, stopSequences=many(TEXT), seed=NUMBER,
    frequencyPenalty=NUMBER, presencePenalty=NUMBER, candidateCount=NUMBER, responseMimeType=TEXT,
    responseSchema=FREE, responseJsonSchema=FREE, responseLogprobs=FLAG, logprobs=WHOLE,
    responseModalities=many(TEXT), speechConfig=_SPEECH, imageConfig=google(aspectRatio=TEXT, imageSize=TEXT),
    mediaResolution=TEXT, audioTimestamp=FLAG,
    thinkingConfig=google(thinkingLevel=TEXT, thinkingBudget=WHOLE, includeThoughts=FLAG),
)  # fmt: skip

NAMED = {
    "contents": either(many(_CONTENT), _CONTENT), "systemInstruction": either(TEXT, _CONTENT), "tools": many(_TOOL),
    "toolConfig": google(functionCallingConfig=google(mode=TEXT, allowedFunctionNames=many(TEXT))),
    "generationConfig": _CONFIG, "model": TEXT, "stream": FLAG,
}  # fmt: skip
OPTIONS = {
    "safetySettings": many(google(category=TEXT, threshold=TEXT)), "serviceTier": one_of("standard", "STANDARD"),
}  # fmt: skip

VOCABULARY = Vocabulary(NAMED, OPTIONS, google=True, content="contents|system")
