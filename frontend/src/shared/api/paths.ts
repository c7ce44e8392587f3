import type { paths } from "@/shared/api/schema.gen";

type Filled<Path extends string> = Path extends `${infer Before}{${string}}${infer After}`
  ? `${Before}${string}${Filled<After>}`
  : Path;

/** Every path that the server's own document knows, with its parameters filled in: a call to any other does not compile. */
export type ApiPath = Filled<keyof paths & string>;
