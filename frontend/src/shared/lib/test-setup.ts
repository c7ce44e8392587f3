import "@testing-library/jest-dom/vitest";
import { cleanup } from "@testing-library/react";
import { afterEach } from "vitest";

afterEach(cleanup);

// The page has a doctype; the test's document does not say so.
if (typeof document !== "undefined") Object.defineProperty(document, "compatMode", { value: "CSS1Compat" });
