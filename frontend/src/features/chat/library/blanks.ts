export interface Blank {
  name: string;
  /** What stands in it until something else is written. */
  usual: string;
}

const BLANK = /\{\{\s*([^{}=\n]{1,60}?)\s*(?:=([^{}]*))?\}\}/g;

/** The blanks of a kept prompt, `{{name}}` or `{{name=usual words}}`, each once, in the order of the text. */
export function blanksOf(text: string): Blank[] {
  const found = new Map<string, Blank>();
  for (const [, name = "", usual = ""] of text.matchAll(BLANK)) {
    const known = found.get(name);
    if (!known) found.set(name, { name, usual });
    else if (!known.usual) known.usual = usual;
  }
  return [...found.values()];
}

/** The text with its blanks filled; what is put in is not looked at for blanks again. */
export function fillBlanks(text: string, words: Readonly<Record<string, string>>): string {
  const usual = new Map(blanksOf(text).map((blank) => [blank.name, blank.usual]));
  return text.replace(BLANK, (_whole, name: string) => words[name] || usual.get(name) || "");
}
