import type { ModelRef } from "@/features/chat/talk/problem";
import { useSession } from "@/shared/api/services";
import { money } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { Notice } from "@/shared/ui/notice";
import type { ProblemActions } from "./problem-card";

/** Shorter than this an answer is not worth offering. Tokens. */
const SHORTEST = 32;

export type PaymentCardProps = ProblemActions & {
  required?: number;
  available?: number;
  maxTokens?: number;
  alternative?: ModelRef;
};

/** 402: what it needs, what there is, and every cheaper way to the same answer. Dollars. */
export function PaymentCard({ required, available, maxTokens, alternative, onRetry, onPickModel }: PaymentCardProps) {
  const { session } = useSession();
  const needs =
    required === undefined ? "Your balance does not cover this answer" : `This answer needs up to ${money(required)}`;
  return (
    <Notice
      tone="error"
      title={available === undefined ? needs : `${needs}; you have ${money(available)}`}
      actions={
        <>
          {alternative && (
            <Button size="sm" variant="primary" onClick={() => onRetry({ model: alternative.id })}>
              Ask {alternative.name ?? alternative.id} for free
            </Button>
          )}
          {maxTokens !== undefined && maxTokens >= SHORTEST && (
            <Button size="sm" onClick={() => onRetry({ maxTokens })}>
              Shorter answer (up to {maxTokens} tokens)
            </Button>
          )}
          <Button size="sm" onClick={onPickModel}>
            Choose a cheaper model
          </Button>
          <Button size="sm" onClick={() => void session.require("asked", "api-keys")}>
            Use my own provider key
          </Button>
        </>
      }
    >
      Nothing was charged and your question is kept.{" "}
      <a href="/account" className="text-link underline">
        Add credit
      </a>{" "}
      in your account.
    </Notice>
  );
}
