/**
 * Keys of connections, kept out of errors: some servers and proxies repeat what they were sent, for
 * example with all headers, and errors end in logs.
 *
 * @module
 */

/** Shortest key that is looked for in texts: a shorter one would be found in words. */
const SHORTEST_KEY = 6;

/** Keys of open connections, by something of each. */
const hidden = new Map<object, string>();

/**
 * Hides a key in all texts of servers.
 *
 * @returns Ends that, for a connection that is closed.
 */
export function hideKey(apiKey: string | undefined): () => void {
  if (!apiKey || apiKey.length < SHORTEST_KEY) return () => {};
  const connection = {};
  hidden.set(connection, apiKey);
  return () => hidden.delete(connection);
}

/** A text of a server without the keys of open connections. */
export function withoutKeys(text: string): string {
  // The longest first: one key can be the beginning of another one.
  const keys = [...hidden.values()].sort((a, b) => b.length - a.length);
  return keys.reduce((shown, key) => shown.replace(spellings(key), "[key]"), text);
}

/** Finds a key as it is, and as URLs, JSON and HTML write it: keys in base64 have `+`, `/` and `=`. */
function spellings(key: string): RegExp {
  const pattern = key.replace(
    /\W/g,
    (mark) => `(\\\\?\\${mark}|%(25)?${mark.charCodeAt(0).toString(16)}|&.{1,9};)`,
  );
  return RegExp(pattern, "gi");
}
