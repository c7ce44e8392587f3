import { expect, expectAccessible, test } from "./fixtures";
import { OwnServer } from "./own-server";

test("who has not confirmed the address is told, and asks for the link again", async ({ page, request }) => {
  const server = await OwnServer.start({ MARKETPLACE_MAIL: "console", MARKETPLACE_SIGNUP_CONFIRM: "on" });
  try {
    await server.account(request, "boss@example.com"); // the first account needs no confirmation
    await server.enter(page, await server.account(request, "ada@example.com"), "/account");
    const notice = page.getByRole("status").filter({ hasText: "Your address is not confirmed" });
    await expect(notice).toContainText("Your sign-up credit comes once");
    await expectAccessible(page);
    await notice.getByRole("button", { name: "Send the link again" }).click();
    await expect(notice).toContainText("A link was sent within the hour");
  } finally {
    server.stop();
  }
});
