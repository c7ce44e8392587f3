// Marks that turn the direction of what follows, and characters that are not shown: in a file's name or a title they only deceive.
const UNSEEN = /\p{Cc}|[\u00ad\u180e\u200b\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/gu;

/** A name as it may be shown beside others: what would turn the text round it, or hide in it, is seen as “�”. */
export function plainName(name: string): string {
  return name.replace(UNSEEN, (mark) => (/\s/.test(mark) ? " " : "\ufffd"));
}
