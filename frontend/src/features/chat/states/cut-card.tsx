import { money } from "@/shared/lib/format";
import { Button } from "@/shared/ui/button";
import { Notice } from "@/shared/ui/notice";

/** An answer that broke off: the part stays, only the part is charged. `cost` in dollars. */
export function CutCard(props: {
  reason: string;
  cost: number | undefined;
  onContinue: () => void;
  onRegenerate: () => void;
}) {
  const { cost } = props;
  return (
    <Notice
      tone="warning"
      className="mt-2"
      title="The answer was cut off"
      actions={
        <>
          <Button size="sm" variant="primary" onClick={props.onContinue}>
            Continue
          </Button>
          <Button size="sm" onClick={props.onRegenerate}>
            Start over
          </Button>
        </>
      }
    >
      {props.reason}{" "}
      {cost === undefined ? "You are charged only for what came." : `You were charged ${money(cost)} for what came.`}
    </Notice>
  );
}
