import type { ReactNode } from "react";
import { AddKeyButton, FreeInstead } from "@/features/chat/composer/missing-key";
import { type Problem, problemOf } from "@/features/chat/talk/problem";
import type { ApiError } from "@/shared/api/errors";
import { useSession } from "@/shared/api/services";
import { Button } from "@/shared/ui/button";
import { Notice } from "@/shared/ui/notice";
import { PaymentCard } from "./payment-card";
import { RateLimitCard } from "./rate-limit-card";

export interface ProblemActions {
  /** The same question again: with another model, or with a shorter answer (tokens). */
  onRetry: (change?: { model?: string; maxTokens?: number; automatic?: boolean }) => void;
  onPickModel: () => void;
}

export type ProblemCardProps = ProblemActions & {
  error: ApiError;
  modelName: string;
  /** The page has already retried by itself once. */
  retried: boolean;
};

/** Why there is no answer, in words, with the ways out. */
export function ProblemCard(props: ProblemCardProps) {
  const problem = problemOf(props.error);
  if (problem.kind === "payment") return <PaymentCard {...props} {...problem} />;
  if (problem.kind === "rate-limit") {
    return (
      <RateLimitCard
        seconds={problem.seconds}
        automatic={!props.retried}
        onRetry={(automatic) => props.onRetry({ automatic })}
      />
    );
  }
  return <PlainProblem {...props} problem={problem} />;
}

function PlainProblem({ problem, error, modelName, onRetry, onPickModel }: ProblemCardProps & { problem: Problem }) {
  const { session } = useSession();
  const again = (
    <Button size="sm" variant="primary" onClick={() => onRetry()}>
      Try again
    </Button>
  );
  const another = (
    <Button size="sm" onClick={onPickModel}>
      Choose another model
    </Button>
  );
  switch (problem.kind) {
    case "sign-in":
      return (
        <Card
          title="Please sign in to get an answer"
          actions={<SignIn onClick={() => void session.require("asked").then((ok) => ok && onRetry())} />}
        >
          Your question is kept.
        </Card>
      );
    case "forbidden":
      return (
        <Card title={`Your plan does not include ${modelName}`} actions={another}>
          {problem.tier ? `It needs the ${problem.tier} plan; plans and prices are on the account page.` : error.message}
        </Card>
      );
    case "model-gone":
      return (
        <Card
          title={`${modelName} is no longer offered`}
          actions={
            <>
              {problem.nearest.slice(0, 3).map((model) => (
                <Button key={model.id} size="sm" variant="primary" onClick={() => onRetry({ model: model.id })}>
                  Ask {model.name ?? model.id}
                </Button>
              ))}
              {another}
            </>
          }
        >
          {problem.nearest.length > 0 ? "These are nearest to it." : error.message}
        </Card>
      );
    case "needs-key":
      return (
        <Card
          title={`${modelName} needs a key that this server does not have`}
          actions={
            <>
              <AddKeyButton providers={problem.providers} onAdded={() => onRetry()} />
              <FreeInstead onPick={(model) => onRetry({ model })} />
              {another}
            </>
          }
        >
          Your question is kept: with a key of your own it goes on. Nothing was charged.
        </Card>
      );
    case "provider":
      return (
        <Card
          title={`${modelName} is not answering`}
          actions={
            <>
              {again}
              {another}
            </>
          }
        >
          {error.message} Nothing was charged.
        </Card>
      );
    case "offline":
      return (
        <Card title="No connection" actions={again}>
          The server could not be reached. Your question is kept.
        </Card>
      );
    default:
      return (
        <Card
          title={error.message}
          actions={
            <>
              {again}
              {another}
            </>
          }
        >
          {error.requestId && `Request ${error.requestId}`}
        </Card>
      );
  }
}

function Card({ title, actions, children }: { title: string; actions: ReactNode; children?: ReactNode }) {
  return (
    <Notice tone="error" title={title} actions={actions}>
      {children}
    </Notice>
  );
}

function SignIn({ onClick }: { onClick: () => void }) {
  return (
    <Button size="sm" variant="primary" onClick={onClick}>
      Sign in
    </Button>
  );
}
