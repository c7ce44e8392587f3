/** What is wrong with a field, in words; absent when nothing is. */
export interface FieldErrors {
  email?: string;
  password?: string;
  confirmation?: string;
}

export interface Credentials {
  email: string;
  password: string;
}

const MIN_PASSWORD = 8;

export function validateSignIn({ email, password }: Credentials): FieldErrors {
  const errors: FieldErrors = {};
  if (!isEmail(email)) errors.email = "Enter an email address, for example ada@example.com.";
  if (!password) errors.password = "Enter your password.";
  return errors;
}

export function validateSignUp({ email, password, confirmation }: Credentials & { confirmation: string }): FieldErrors {
  const errors: FieldErrors = {};
  if (!isEmail(email)) errors.email = "Enter an email address, for example ada@example.com.";
  if (password.length < MIN_PASSWORD) errors.password = `Use at least ${MIN_PASSWORD} characters.`;
  else if (password !== confirmation) errors.confirmation = "The two passwords differ.";
  return errors;
}

/** Which field the server's refusal belongs to, by its stable code; null where it concerns the whole form. */
export function fieldOfCode(code: string): keyof FieldErrors | null {
  if (code === "email_taken" || code === "invalid_email") return "email";
  if (code === "weak_password" || code === "invalid_credentials") return "password";
  return null;
}

/** Only what no address is without: the server has the last word. */
const isEmail = (text: string) => /^[^\s@]+@[^\s@]+$/.test(text.trim());
