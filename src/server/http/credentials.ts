/**
 * Keys in the forms in which HTTP clients show them.
 *
 * @module
 */

/**
 * The `authorization` header as a key ring takes it, `bearer KEY`: of `Basic` the password is the
 * key, whoever the user is; `Token KEY` is what InfluxDB's clients send.
 *
 * @param header Absent if none was sent; anything else is handed on as it is.
 */
export function bearerOf(header: string | undefined): string | undefined {
  const match = /^(basic|token) +([\x21-\x7e]+) *$/i.exec(header ?? "");
  if (match === null) return header;
  const [, scheme, text] = match;
  if (scheme!.toLowerCase() === "token") return `bearer ${text}`;
  const password = passwordOf(text!);
  return password === undefined ? header : `bearer ${password}`;
}

/** Tells whether a header shows a key as a password. */
export function isBasic(header: string | undefined): boolean {
  return /^basic\b/i.test(header ?? "");
}

/** The text after the first colon in base64; undefined if it is no base64, or has no colon. */
function passwordOf(base64: string): string | undefined {
  try {
    const text = atob(base64);
    const colon = text.indexOf(":");
    return colon < 0 ? undefined : text.slice(colon + 1);
  } catch {
    return undefined;
  }
}
