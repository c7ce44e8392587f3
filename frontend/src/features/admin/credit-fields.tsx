import { ActField } from "./act-dialog";

/** What the dialog asks of a credit, given to one account or to many. */
export const CreditFields = ({ label }: { label: string }) => (
  <>
    <ActField label={label} name="amount" inputMode="decimal" pattern="\d+(\.\d{1,9})?" />
    <label className="flex items-center gap-2">
      <input type="checkbox" name="gift" className="size-4 accent-accent" />A gift: nobody paid for it
    </label>
  </>
);
