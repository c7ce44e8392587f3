import { useEffect, useRef, useState } from "react";

const LAG_MS = 300;

/**
 * Text that changes at once here and, a moment after the last key, where it is kept (the URL: browsers limit how often it may change).
 * A change that comes from outside (back button, a cleared filter) is taken over; the echo of our own is not.
 */
export function useLaggingText(kept: string, keep: (text: string) => void): [string, (text: string) => void] {
  const [text, setText] = useState(kept);
  const sent = useRef(kept);
  const latest = useRef(keep);
  useEffect(() => {
    latest.current = keep;
  });
  useEffect(() => {
    if (kept === sent.current) return;
    sent.current = kept;
    setText(kept);
  }, [kept]);
  useEffect(() => {
    if (text === sent.current) return;
    const timer = window.setTimeout(() => {
      sent.current = text;
      latest.current(text);
    }, LAG_MS);
    return () => window.clearTimeout(timer);
  }, [text]);
  return [text, setText];
}
