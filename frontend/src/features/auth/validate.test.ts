import { describe, expect, it } from "vitest";
import { fieldOfCode, validateSignIn, validateSignUp } from "./validate";

describe("sign-up", () => {
  const good = { email: "ada@example.com", password: "correct horse", confirmation: "correct horse" };

  it("accepts what the server would accept", () => {
    expect(validateSignUp(good)).toEqual({});
    expect(validateSignUp({ ...good, email: "ünï@bücher.example" })).toEqual({});
  });

  it("says at the field what is wrong", () => {
    expect(validateSignUp({ ...good, email: "ada" })).toHaveProperty("email");
    expect(validateSignUp({ ...good, password: "short", confirmation: "short" })).toHaveProperty("password");
    expect(validateSignUp({ ...good, confirmation: "other" })).toEqual({ confirmation: "The two passwords differ." });
  });
});

describe("sign-in", () => {
  it("does not lock out an old short password", () => {
    expect(validateSignIn({ email: "ada@example.com", password: "x" })).toEqual({});
  });
});

describe("the server's refusals", () => {
  it.each([
    ["email_taken", "email"],
    ["weak_password", "password"],
    ["invalid_credentials", "password"],
    ["rate_limit_exceeded", null],
  ])("%s stands at %s", (code, field) => {
    expect(fieldOfCode(code)).toBe(field);
  });
});
