"""Template grammar for the task classifier's training text: `sample(label, n, seed)` makes prompts in the registers people use.

A template is a line with {slots}; each slot names a list below. All text is our own.
"""

import random
import re

SLOTS: dict[str, list[str]] = {
    "part": [
        "login form", "upload handler", "settings page", "sidebar", "chat view", "model picker", "webhook endpoint", "cache",
        "scheduler", "rate limiter", "SSE parser", "tokenizer", "retry logic", "search index", "billing page", "audit log",
        "docker image", "CLI", "SDK client", "config loader", "session store", "message list", "file tree", "API gateway",
        "streaming response", "tool call parser", "proxy", "usage endpoint", "health check", "key manager", "test suite",
        "export job", "auth middleware", "notification service", "dropdown", "modal dialog", "mobile layout", "date picker",
        "embeddings endpoint", "fallback router", "prompt editor", "virtual table", "GraphQL resolver", "worker pool",
    ],
    "thing": [
        "null values", "empty responses", "unicode names", "expired tokens", "trailing slashes", "large files", "long prompts",
        "missing headers", "duplicate ids", "negative amounts", "time zones", "parallel requests", "nested arrays",
        "image inputs", "system messages", "cached tokens", "reasoning content", "tool results", "stop sequences",
        "absolute paths", "Windows line endings", "deleted users", "archived projects", "query parameters", "retries",
    ],
    "feature": [
        "dark mode", "CSV export", "two-factor login", "usage charts", "prompt templates", "team invitations", "API key rotation",
        "batch processing", "audio transcription", "image uploads", "conversation search", "custom themes", "spend limits",
        "model aliases", "OAuth login", "keyboard shortcuts", "webhook retries", "SSO", "audit logging", "semantic caching",
        "structured outputs", "tool calling", "a plugin API", "vector search", "Kubernetes manifests", "hot reload",
        "request tracing", "a dry-run flag", "bulk delete", "role permissions", "a cost column", "an admin dashboard",
        "JSON mode", "embeddings", "a token counter", "session replay", "multi-region failover", "push notifications",
    ],
    "vendor": [
        "OpenAI", "Anthropic", "Gemini", "Mistral", "Bedrock", "Azure", "Ollama", "Groq", "DeepSeek", "Cohere", "OpenRouter",
        "Vertex AI", "xAI", "Together AI", "Perplexity", "Hugging Face", "Stripe", "Slack", "GitHub", "Redis", "Postgres",
    ],
    "version": ["2.4.1", "v3", "0.9.2", "1.82", "the latest release", "5.0", "node 22", "Python 3.13", "iOS 18"],
    "error": [
        "TypeError", "KeyError: 'usage'", "a 500 error", "a timeout", "NaN", "an empty list", "undefined", "None",
        "a blank page", "a 404", "an infinite loop", "connection reset", "permission denied", "wrong totals", "a memory leak",
    ],
    "event": [
        "after upgrading to {version}", "when {thing} are present", "on Safari", "behind a proxy", "after a restart",
        "on Windows", "when streaming", "in production only", "with {vendor}", "if the list is empty", "under load",
        "after logging out", "when offline", "on small screens", "with more than one worker", "for new users",
    ],
    "lang": ["Python", "JavaScript", "Java", "C++", "Rust", "Go", "TypeScript", "SQL", "Bash", "PHP", "Ruby", "Kotlin", "C#", "R"],
    "algo": [
        "reverses a string", "finds the longest word in a sentence", "computes the nth prime", "counts vowels",
        "merges two sorted lists", "validates an email address", "removes duplicates from a list", "parses a date",
        "checks balanced parentheses", "converts Celsius to Fahrenheit", "finds the maximum of three numbers",
        "flattens a nested list", "downloads a file", "sorts a dictionary by value", "generates a random password",
        "groups anagrams", "finds common elements of two arrays", "reads a CSV file", "draws a triangle of stars",
    ],
    "topic": [
        "gravity", "photosynthesis", "blockchain", "inflation", "recursion", "natural selection", "black holes", "democracy",
        "machine learning", "the immune system", "supply and demand", "closures", "entropy", "plate tectonics", "HTTP cookies",
        "compound interest", "the greenhouse effect", "mindfulness", "quantum computing", "jazz harmony", "the Cold War",
        "public key cryptography", "dopamine", "hash tables", "eventual consistency", "Impressionism", "chess openings",
    ],
    "animal": ["dog", "cat", "horse", "bird", "cow", "sheep", "monkey", "elephant"],
    "person": ["man", "woman", "boy", "girl", "child", "player", "person on the left", "person in the middle", "chef", "old lady"],
    "object": ["cup", "bicycle", "laptop", "book", "umbrella", "bag", "car", "bottle", "phone", "hat", "sign", "clock", "plate"],
    "color": ["red", "blue", "green", "yellow", "black", "white", "orange"],
    "place": ["table", "wall", "bench", "street", "beach", "shelf", "tree", "window", "sofa", "roof"],
    "name": ["Alice", "Mark", "Priya", "Tom", "Lucia", "Omar", "Nina", "George", "Hana", "Carlos", "Ruth", "Dan"],
    "goods": ["apples", "pencils", "marbles", "tickets", "cookies", "books", "stickers", "eggs", "roses", "coins", "toys"],
    "n": ["2", "3", "4", "5", "6", "8", "10", "12", "15", "20", "24", "30", "45", "60", "100"],
    "city": ["Paris", "Tokyo", "New York", "Berlin", "Sydney", "Toronto", "Madrid", "Chicago", "Mumbai", "Cairo", "Seattle"],
    "country": ["France", "Japan", "Kenya", "Peru", "India", "Canada", "Norway", "Egypt", "Chile", "Poland", "Vietnam"],
    "tongue": [
        "French", "Spanish", "German", "Italian", "Japanese", "Chinese", "Arabic", "Hindi", "Russian", "Korean", "Dutch",
        "Polish", "Turkish", "Greek", "Swahili", "Portuguese", "Bengali", "Thai", "Hebrew", "Czech",
    ],
    "text": ["text", "article", "paragraph", "passage", "email", "report", "conversation", "document", "story", "review", "paper"],
    "entity": [
        "names", "dates", "places", "email addresses", "organisations", "prices", "phone numbers", "quantities", "countries",
        "authors", "events", "job titles", "ingredients", "currencies", "products", "persons", "years",
    ],
    "work": ["Hamlet", "the Eiffel Tower", "the theory of evolution", "Yesterday", "Guernica", "the light bulb", "Don Quixote"],
    "doc": [
        "README", "quickstart", "installation guide", "API reference", "changelog", "FAQ", "tutorial", "migration guide",
        "contributing guide", "release notes", "troubleshooting page", "pricing page", "provider page", "SDK guide", "cookbook",
        "user manual", "configuration reference", "style guide", "sidebar", "glossary", "deployment guide", "security policy",
    ],
    "occasion": ["a birthday party", "a wedding", "a school fair", "a team offsite", "a rainy weekend", "Halloween", "a first date"],
    "creative": ["short story", "poem", "song", "limerick", "haiku", "dialogue", "speech", "product description", "blog post", "joke"],
    "subject": ["a lost robot", "the sea", "a lazy cat", "two rivals", "winter", "time travel", "a lighthouse", "friendship",
    "a clumsy wizard"],
    "quality": ["security", "performance", "readability", "correctness", "best practices", "test coverage", "style", "accessibility"],
    "day": ["Monday", "Friday", "tomorrow", "next week", "May 3rd", "the 12th", "this weekend"],
    "cuisine": ["sushi", "Italian", "vegan", "Thai", "Mexican", "Indian"],
    "id": ["1234", "8821", "A-17", "55102", "XJ9", "773"],
    "category": ["positive or negative", "spam or not spam", "fact or opinion", "sports or politics", "formal or informal",
    "true or false"],
}  # fmt: skip

TEMPLATES: dict[str, list[str]] = {
    "debugging": [
        "{part} returns {error} {event}", "{part} crashes {event}", "{part} fails {event}", "{part} shows {error} {event}",
        "{part} hangs {event}", "{part} ignores {thing}", "{part} does not handle {thing}", "{part} not working {event}",
        "Handle {thing} in {part}", "Ignore {thing} in {part}", "Prevent {error} in {part}", "Avoid {error} {event}",
        "Ensure {part} handles {thing}", "Correct {thing} handling in {part}", "Preserve {thing} in {part}",
        "Do not drop {thing} {event}", "Skip {thing} in {part}", "Strip {thing} from {part}", "Reset {part} {event}",
        "Use correct {thing} for {vendor}", "Remove broken {part} fallback", "Restore {part} {event}", "Resolve {error} in {part}",
        "Make {part} respect {thing}", "Stop {part} from dropping {thing}", "Pass {thing} to {vendor}",
        "Normalise {thing} for {vendor}", "Include {thing} in {part}", "Return proper error for {thing}",
        "Properly parse {thing} from {vendor}", "Report {thing} correctly {event}", "Why does my {part} return {error}?",
        "I get {error} {event}, how do I fix it?", "[Bug]: {part} broken {event}", "Cannot use {part} {event}",
        "Getting {error} from {part} {event}", "{lang} script raises {error} {event}", "Update {part} to tolerate {thing}",
        "Add missing {thing} check to {part}", "Keep {thing} {event}", "Wrong {thing} in {part}", "Close {part} {event}",
        "Guard {part} against {thing}", "Reject {thing} in {part}", "Debug this {lang} code",
        "Find and fix the error in this {lang} program", "Default {thing} {event}", "Align {part} with {vendor} behaviour",
        "Unexpected {error} in {part} {event}", "{vendor} requests fail {event}", "{vendor}: {thing} are lost {event}",
    ],
    "code_generation": [
        "Add {feature}", "Add {feature} to {part}", "Support {feature}", "Support {feature} for {vendor}", "Implement {feature}",
        "Introduce {feature}", "Enable {feature} for {vendor}", "Add {vendor} provider", "Add {vendor} integration",
        "Allow {feature} in {part}", "Expose {feature} through the API", "Integrate {vendor} with {part}", "Build {feature}",
        "{feature} for {vendor}", "Show {feature} in {part}", "Add {part}", "Add new {part} component", "Create {part}",
        "Refactor {part}", "Rewrite {part} in {lang}", "Add tests for {part}", "Make {part} configurable",
        "Add button to {part}", "Add option to disable {feature}", "Add endpoint for {feature}", "Initial {feature} support",
        "Migrate {part} to {vendor}", "Extend {part} with {feature}", "Add {vendor} models", "Feature request: {feature}",
        "Write a {lang} function that {algo}", "Write a {lang} program that {algo}", "Write {lang} code which {algo}",
        "Create a {lang} script that {algo}", "Write a function to check whether a number is a power of {n}.",
        "Write a method in {lang} that {algo}", "Given a list of {goods}, write code that sorts them by weight",
        "Generate a {lang} snippet that {algo}", "Implement a {part} in {lang}", "Convert this {lang} code to {lang}",
        "def f(x): \"\"\" Function that {algo}. >>> f(1) \"\"\"", "How do I write a {lang} function that {algo}?",
    ],
    "code_review": [
        "Review this {lang} code for {quality}", "Review my pull request, focus on {quality}", "Check the diff for {quality} issues",
        "Code review agent that checks {quality} and {quality}", "Reviews pull requests for {quality}, {quality} and {quality}",
        "Audit the {part} for {quality}", "Give me feedback on this {lang} class", "Review PR #{id}", "Review the {part} changes",
        "Reviews {lang} code for {quality} and {quality}", "Evaluate the {quality} of this {lang} code",
        "Expert reviewer for {lang} pull requests", "Use when the user wants a {lang} code review",
        "Comprehensive review of a PR covering {quality} and {quality}", "Inspect the changes in {part} before merging",
        "Analyse the pull request and comment on {quality}", "Please review the {part} implementation",
        "Pull request review with {quality} findings", "Check whether this {lang} function follows {quality}",
    ],
    "documentation": [
        "Update {doc}", "Add {feature} to the {doc}", "Fix typo in {doc}", "Document {feature}", "Clarify {thing} in the {doc}",
        "Add {vendor} example to {doc}", "Improve {doc}", "Add section about {feature} to {doc}", "Update {doc} for {vendor}",
        "Add docs for {feature}", "Document {vendor} setup", "Fix broken link in {doc}", "Mention {thing} in {doc}",
        "Rewrite {doc}", "Remove outdated note from {doc}", "Add {doc}", "Write a {doc} for the {part}", "Document the {part}",
        "Clarify {vendor} limits", "Describe {feature} in the {doc}", "Add guide on {feature}", "Sync {doc} with {version}",
        "Add {feature} docs", "Document {thing} behaviour", "Update {vendor} model list in the {doc}",
        "Write docstrings for the {part}", "Add comments to this {lang} function", "Explain {feature} in the {doc}",
        "Release notes for {version}", "Add warning about {thing} to {doc}", "Reword {doc} intro", "Add {vendor} page",
    ],
    "explain_concept": [
        "Explain {topic}", "What is {topic}?", "How does {topic} work?", "Explain {topic} to a child", "Why is {topic} important?",
        "What is the difference between {topic} and {topic}?", "Can you explain {topic} in simple terms?", "Describe {topic}",
        "Help me understand {topic}", "What are the main ideas behind {topic}?", "Tell me about {topic}", "ELI5: {topic}",
        "What causes {topic}?", "I'm confused about {topic}. How does it relate to {topic}?", "Give an introduction to {topic}",
        "What does {topic} mean and why does it matter?", "Compare {topic} with {topic}", "Who came up with {topic} and why?",
    ],
    "brainstorming": [
        "Give me {n} ideas for {occasion}", "Suggest some activities for {occasion}", "Write a {creative} about {subject}",
        "Come up with names for {subject}", "Brainstorm {n} themes for {occasion}", "What are some good snacks for {occasion}?",
        "Write me a funny {creative} about {subject}", "List {n} creative uses for a {object}", "Recommend {n} things to do in {city}",
        "Plan {occasion}", "Invent a character based on {subject}", "Think of a slogan for a {object} brand",
        "What could I bring to {occasion}?", "Compose a {creative} in which {subject} meets {subject}",
        "Make a list of {goods} related gifts",
        "Give examples of famous food from {country}", "What are some fun facts to share at {occasion}?",
        "Name some movies about {subject}",
    ],
    "summarisation": [
        "Summarize the following {text}", "Summarise this {text} in {n} sentences", "Write a short summary of the {text}",
        "What is the main point of this {text}?", "TL;DR of the {text}", "Generate a title for the {text}",
        "Condense the {text} into {n} bullet points", "Give me the key takeaways from the {text}", "Shorten this {text}",
        "Write a headline for this {text}", "Create a one sentence summary of the {text}", "Combine these {text}s into one summary",
        "Sum up what the {text} says about {topic}", "Summarize the {text} below for {name}", "Give a brief overview of the {text}",
    ],
    "translation": [
        "Translate this {text} into {tongue}", "Translate the sentence from {tongue} to {tongue}",
        "How do you say \"{goods}\" in {tongue}?",
        "Translate to {tongue}", "{tongue} to {tongue}: the {animal} is on the {place}", "Give the {tongue} translation of the {text}",
        "What is the {tongue} word for {object}?", "Convert this {tongue} {text} to {tongue}", "Put this {text} into {tongue}",
        "Translate \"the {animal} sleeps\" into {tongue}", "Given a {tongue} sentence, write it in {tongue}",
        "Please translate the following into {tongue}: I lost my {object}.", "Localise the {part} to {tongue}",
        "I received this in {tongue}, please translate it", "Write the {tongue} equivalent of the sentence",
    ],
    "data_extraction": [
        "Extract all {entity} from the {text}", "List the {entity} mentioned in the {text}", "Find every {entity} in this {text}",
        "Extract the {entity} and {entity} from the {text} as JSON", "Pull the {entity} out of the {text}",
        "Replace all the {entity} in the {text} with a placeholder", "From the {text}, list the {entity} in a table",
        "Which {entity} appear in the {text}? Separate them with commas.", "Return the {entity} in the {text} as a CSV",
        "Identify {entity} in the {text} below", "Based on the {text}, list the {entity} in bullet points",
        "Given the {text}, extract {entity} separated by semicolons", "Parse the {text} and output {entity} and {entity}",
        "Using the {text} provided, give me the {entity}", "Convert the {text} into a table of {entity} and {entity}",
        "Remove the {entity} from this {text}",
    ],
    "maths": [
        "{name} has {n} {goods} and buys {n} more. {name} gives half of them away. How many {goods} are left?",
        "{name} sells {goods} for ${n} each. If {name} sells {n} on {day} and twice as many on {day}, how much money is made?",
        "A box holds {n} {goods}. How many boxes are needed for {n} dozen {goods}?",
        "{name} walks {n} miles every day and {n} miles on Sundays. How far does {name} walk in {n} weeks?",
        "There are {n} {goods} in a bag. One third are {color}. How many are not {color}?",
        "If {n} {goods} cost ${n}, how much do {n} {goods} cost?", "Solve for x: {n}x + {n} = {n}", "What is {n} times {n} plus {n}?",
        "{name} is {n} years older than {name}. In {n} years {name} will be twice as old. How old is {name}?",
        "{name} spends {n}% of a ${n} salary on rent and ${n} on food. How much remains?", "Simplify ({n}a + {n}b) - {n}a",
        "Find the derivative of x^{n} + {n}x", "Prove that the sum of {n} consecutive integers is divisible by {n}",
        "How many ways are there to choose {n} {goods} out of {n}?", "Find all integers n such that n^2 + {n} is divisible by {n}",
        "A {object} costs ${n} after a {n}% discount. What was the original price?", "Solve the equation x^2 - {n}x + {n} = 0",
    ],
    "vision": [
        "What color is the {object}?", "What is the {person} wearing?", "What is the {person} holding?",
        "How many {goods} are in the picture?",
        "Is the {object} on the {place}?", "What is on the {place}?", "What is the {person} doing?", "What does the {color} {object} say?",
        "Where is the {animal}?", "What is the {animal} looking at?", "Is there a {object} next to the {person}?",
        "Describe this image of a {place}",
        "Which {object} is bigger?", "What brand is the {object}?", "Where was this photo of the {place} taken?",
        "What is behind the {object}?",
        "Is the {person} happy?", "How many people are near the {place}?", "What is written on the {object}?",
        "What kind of {animal} is in the photo?", "Who is the {person} in the picture?", "What is the {person} sitting on?",
        "What is to the right of the {object}?", "What is the position of the {object} relative to the {person}?",
        "What is the name of this {object}?",
    ],
    "tool_use": [
        "What's the weather in {city} on {day}?", "Find {cuisine} restaurants in {city}", "Book a table for {n} in {city} on {day}",
        "Get the current stock price of company {id}", "Get details for order {id}", "Find flights from {city} to {city} on {day}",
        "Calculate the area of a rectangle with length {n} and width {n}", "Calculate the speed of a car that travels {n} km in {n} hours",
        "Calculate the future value of ${n}000 at {n}% for {n} years", "Get {n} latest news on {country}",
        "Find hotels in {city} under ${n} a night",
        "What is the population of {city} in 20{n}?", "Convert {n} pounds to kilograms", "Send a message to {name} on {day}",
        "Retrieve the record of user {id}", "What is the distance from {city} to {city}?", "Set a reminder for {day}",
        "Calculate the mass of {n} moles of water", "Compute the correlation of [{n}, {n}, {n}] and [{n}, {n}, {n}]",
        "Find the current exchange rate between {country} and {country}", "Get the schedule of the {city} team for {day}",
        "What is the pressure at a depth of {n} meters?", "Estimate the emissions of a {n} mile trip at {n} MPG",
        "Order {n} {goods} to {city}",
        "Look up the case with ID {id} and check its status", "How much will it cost to ship {n} kg from {city} to {city}?",
        "Find the cheapest {object} in stores near {city}", "What is the probability of {n} heads in {n} coin tosses?",
        "Predict the sales of store {id} for the next {n} months", "Calculate the force on a {n} kg mass accelerating at {n} m/s^2",
    ],
    "quick_task": [
        "What is the capital of {country}?", "Who created {work}?", "In which country is {city}?",
        "What language do they speak in {country}?",
        "When was {work} finished?", "Which continent is {country} in?", "Who was the first president of {country}?",
        "What currency is used in {country}?",
        "Classify the {text} as {category}", "Is the statement {category}?", "Label the sentence as {category}",
        "What does the abbreviation {id} mean?",
        "Define {topic} in one sentence", "What year was the {city} Olympics?", "Which river runs through {city}?",
        "How many legs does a {animal} have?",
        "Give a synonym for {color}", "What is the plural of {animal}?", "Who wrote {work}?", "Convert {n} inches to centimeters",
        "What is a baby {animal} called?", "Name the largest city in {country}", "Was {name} a common name in 1900? yes or no",
        "Decide whether the {text} is {category}", "Which is larger, {country} or {country}?",
    ],
}  # fmt: skip

_SLOT = re.compile(r"\{(\w+)\}")


def sample(label: str, n: int, seed: int) -> list[str]:
    """At most n distinct prompts of a label, each template used about equally; the same every time for the same seed."""
    chance = random.Random(f"{label}/{seed}")  # noqa: S311  training text, not a secret
    found: dict[str, None] = {}
    for i in range(n * 3):
        templates = TEMPLATES[label]
        line = templates[i % len(templates)]
        while "{" in line and _SLOT.search(line):
            line = _SLOT.sub(lambda m: chance.choice(SLOTS[m[1]]), line, count=1)
        found[line[0].upper() + line[1:] if chance.random() < 0.8 else line] = None
        if len(found) == n:
            break
    return list(found)
