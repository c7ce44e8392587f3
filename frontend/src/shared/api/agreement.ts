/**
 * Holds types.ts to the server's document while compiling: each named field of a reply must exist in our type with a type that the
 * document allows. A field that the server renames, drops or retypes is an error here after `npm run gen`.
 */
import type { components } from "@/shared/api/schema.gen";
import type {
  Balance,
  ClientSettings,
  Evidence,
  Model,
  ModelList,
  Offer,
  Prices,
  Recommendation,
  Recommendations,
  TaskAnalysis,
  UserProfile,
} from "@/shared/api/types";

type Schemas = components["schemas"];

/** Without the index signature that "more fields may come" makes. */
type Named<T> = T extends readonly (infer Item)[]
  ? Named<Item>[]
  : T extends object
    ? { [Key in keyof T as string extends Key ? never : Key]: Named<T[Key]> }
    : T;

type Agrees<Ours extends Named<Theirs>, Theirs> = [Ours, Theirs];

export type Agreement = [
  Agrees<Prices, Schemas["Prices"]>,
  Agrees<Evidence, Schemas["EvidenceOut"]>,
  Agrees<Model, Schemas["ModelOut"]>,
  Agrees<Offer, Schemas["OfferOut"]>,
  Agrees<TaskAnalysis, Schemas["Analysis"]>,
  Agrees<Recommendation, Schemas["Pick"]>,
  Agrees<UserProfile, Schemas["ProfileOut"]>,
  Agrees<Balance & { success: true }, Schemas["BalanceOut"]>,
  Agrees<ClientSettings, Schemas["ClientSettings"]>,
  Agrees<Recommendations & { success: true }, Schemas["Recommendations"]>,
  Agrees<ModelList & { success: true }, Pick<Schemas["Models"], "models" | "count" | "total" | "success">>,
];
