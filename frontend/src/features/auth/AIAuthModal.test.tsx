import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import type { Host } from "@/hosts/host";
import { memoryHost } from "@/shared/lib/test-host";
import { refusal, reply, serve } from "@/shared/lib/test-server";
import { AIAuthModal, type AIAuthModalProps } from "./AIAuthModal";

function open(fields: Partial<AIAuthModalProps> = {}, host: Host = memoryHost()) {
  const onClose = vi.fn();
  const onSuccess = vi.fn();
  render(<AIAuthModal isOpen host={host} onClose={onClose} onSuccess={onSuccess} {...fields} />);
  return { host, onClose, onSuccess };
}

const field = (name: string) => document.querySelector<HTMLInputElement>(`input[name="${name}"]`) as HTMLInputElement;

describe("sign in", () => {
  it("keeps the token in the host's storage before it tells of success", async () => {
    serve({ "POST /auth/signin": () => reply({ token: "t1", user_id: "u1" }) });
    const { host, onSuccess, onClose } = open();
    onSuccess.mockImplementation(() => expect(host.storage.getItem("token")).toBe("t1"));
    await userEvent.type(screen.getByLabelText("Email"), "ada@example.com");
    await userEvent.type(screen.getByLabelText("Password"), "correct horse{Enter}");
    await waitFor(() =>
      expect(onSuccess).toHaveBeenCalledWith("t1", { user_id: "u1", email: "ada@example.com", balance: undefined }),
    );
    expect(onClose).toHaveBeenCalled();
  });

  it("is a form that password managers know", () => {
    open();
    expect(field("email")).toHaveAttribute("autocomplete", "username");
    expect(field("password")).toHaveAttribute("autocomplete", "current-password");
    expect(field("password")).toHaveAttribute("type", "password");
    expect(field("email").form).toBe(field("password").form);
  });

  it("says at the password that it is wrong, announces it and puts the focus there", async () => {
    serve({ "POST /auth/signin": () => refusal(401, { error: "Invalid credentials", code: "invalid_credentials" }) });
    const { onSuccess } = open();
    await userEvent.type(screen.getByLabelText("Email"), "ada@example.com");
    await userEvent.type(screen.getByLabelText("Password"), "wrong{Enter}");
    expect(await screen.findByRole("alert")).toHaveTextContent("Invalid credentials");
    expect(field("password")).toHaveAttribute("aria-invalid", "true");
    expect(field("password")).toHaveFocus();
    expect(onSuccess).not.toHaveBeenCalled();
  });

  it("says over an expired session that nothing is lost", () => {
    open({ reason: "expired" });
    expect(screen.getByRole("dialog")).toHaveTextContent("your drafts are as you left them");
  });

  it("shows the password on demand", async () => {
    open();
    await userEvent.click(screen.getByRole("button", { name: "Show password" }));
    expect(field("password")).toHaveAttribute("type", "text");
  });
});

describe("sign up", () => {
  it("catches a mistyped confirmation before anything is sent", async () => {
    open({ initialMode: "signup" });
    await userEvent.type(screen.getByLabelText("Email"), "ada@example.com");
    await userEvent.type(screen.getByLabelText("Password"), "correct horse");
    await userEvent.type(screen.getByLabelText("Confirm password"), "correct house{Enter}");
    expect(await screen.findByRole("alert")).toHaveTextContent("The two passwords differ");
    expect(field("confirmation")).toHaveFocus();
  });

  it("puts the server's refusal at the field it concerns", async () => {
    serve({ "POST /auth/signup": () => refusal(400, { error: "Email already registered", code: "email_taken" }) });
    open({ initialMode: "signup" });
    await userEvent.type(screen.getByLabelText("Email"), "ada@example.com");
    await userEvent.type(screen.getByLabelText("Password"), "correct horse");
    await userEvent.type(screen.getByLabelText("Confirm password"), "correct horse{Enter}");
    expect(await screen.findByRole("alert")).toHaveTextContent("Email already registered");
    expect(field("email")).toHaveAttribute("aria-invalid", "true");
    expect(field("password")).toHaveAttribute("autocomplete", "new-password");
  });
});

describe("API keys", () => {
  const stored = {
    provider: "openai",
    masked: "sk-…1234",
    status: "verified",
    created_at: "2026-11-01T00:00:00Z",
    last_tested_at: null,
  };
  const signedIn = () => {
    const host = memoryHost();
    host.storage.setItem("token", "t1");
    const calls = serve({
      "GET /providers": () => reply({ providers: [{ name: "openai", byok: true }] }),
      "GET /api-keys": () => reply({ api_keys: [stored] }),
      "GET /keys": () => reply({ keys: [] }),
      "POST /keys": () => reply({ id: "k1", name: "Zed", prefix: "mk-1", key: "mk-secret" }),
    });
    open({ initialMode: "api-keys" }, host);
    return calls;
  };

  it("shows a provider's key masked and never its text", async () => {
    signedIn();
    expect(await screen.findByText("sk-…1234")).toBeInTheDocument();
    expect(screen.getByRole("button", { name: "Test the OpenAI key" })).toBeInTheDocument();
    expect(field("api_key")).toHaveAttribute("type", "password");
  });

  it("shows a new marketplace key once, with its cap sent as exact text", async () => {
    const calls = signedIn();
    await userEvent.type(await screen.findByLabelText("Name"), "Zed");
    await userEvent.type(screen.getByLabelText("Cap in dollars"), "0.10");
    await userEvent.click(screen.getByRole("button", { name: "Create key" }));
    expect(await screen.findByText("mk-secret")).toBeInTheDocument();
    expect(calls.find((call) => call.route === "POST /keys")?.body).toEqual({
      name: "Zed",
      cap: { amount: "0.10", period: "month" },
      expires_in_days: 90,
    });
    await userEvent.click(screen.getByRole("button", { name: "Done" }));
    expect(screen.queryByText("mk-secret")).toBeNull();
  });

  it("signed out, leads to signing in first", async () => {
    open({ initialMode: "api-keys" });
    await userEvent.click(screen.getByRole("button", { name: "Sign in" }));
    expect(screen.getByLabelText("Email")).toBeInTheDocument();
  });
});
