import { useEffect, useEffectEvent, useState } from "react";
import { Button } from "@/shared/ui/button";
import { Notice } from "@/shared/ui/notice";

/** 429: counts down and, if `automatic`, asks again by itself when the time has come. `onRetry(true)` was automatic. */
export function RateLimitCard(props: { seconds: number; automatic: boolean; onRetry: (automatic: boolean) => void }) {
  const { seconds, automatic } = props;
  const [left, setLeft] = useState(seconds);
  const retry = useEffectEvent(() => props.onRetry(true));
  useEffect(() => {
    const until = Date.now() + seconds * 1000;
    const timer = setInterval(() => {
      const next = Math.max(0, Math.ceil((until - Date.now()) / 1000));
      setLeft(next);
      if (next > 0) return;
      clearInterval(timer);
      if (automatic) retry();
    }, 250);
    return () => clearInterval(timer);
  }, [seconds, automatic]);
  return (
    <Notice
      tone="warning"
      title="Too many questions just now"
      actions={
        <Button size="sm" variant={left === 0 ? "primary" : "secondary"} onClick={() => props.onRetry(false)}>
          {left > 0 ? "Try now" : "Try again"}
        </Button>
      }
    >
      {/* The number changes each second; the words above are what is read out, once. */}
      <span aria-live="off">
        {left > 0
          ? automatic
            ? `Asking again by itself in ${left} s.`
            : `It should work again in ${left} s.`
          : automatic
            ? "Asking again…"
            : "It should work again now."}
      </span>
    </Notice>
  );
}
