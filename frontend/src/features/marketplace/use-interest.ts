import { useEffect, useState } from "react";

const signs = ["pointermove", "pointerdown", "keydown", "scroll", "focusin"] as const;

/** True from the first movement of a hand on: until then nobody waits for more than what is on the screen. */
export function useInterest(): boolean {
  const [interested, setInterested] = useState(false);
  useEffect(() => {
    if (interested) return;
    const notice = () => setInterested(true);
    for (const sign of signs) window.addEventListener(sign, notice, { capture: true, passive: true });
    return () => {
      for (const sign of signs) window.removeEventListener(sign, notice, { capture: true });
    };
  }, [interested]);
  return interested;
}
