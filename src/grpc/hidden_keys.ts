/**
 * Keys of connections, kept out of errors: some servers and proxies repeat what they were sent, for
 * example with all headers, and errors end in logs.
 *
 * @module
 */

/** Shortest key that is looked for in texts: a shorter one would be found in words. */
const SHORTEST_KEY = 6;

/** Connections by the keys that they show. */
const connections = new Map<string, number>();

/**
 * Hides a key in all texts of servers.
 *
 * @returns Ends that, for a connection that is closed.
 */
export function hideKey(apiKey: string | undefined): () => void {
  if (apiKey === undefined || apiKey.length < SHORTEST_KEY) return () => {};
  connections.set(apiKey, (connections.get(apiKey) ?? 0) + 1);
  let isHidden = true;
  return () => {
    if (!isHidden) return;
    isHidden = false;
    const left = connections.get(apiKey)! - 1;
    if (left === 0) connections.delete(apiKey);
    else connections.set(apiKey, left);
  };
}

/** A text of a server without the keys of open connections. */
export function withoutKeys(text: string): string {
  // The longest first: one key can be the beginning of another one.
  const keys = [...connections.keys()].sort((a, b) => b.length - a.length);
  return keys.reduce((shown, key) => shown.replace(spellings(key), "[key]"), text);
}

/** Finds a key as it is, and as URLs and JSON write it: keys in base64 have `+`, `/` and `=`. */
function spellings(key: string): RegExp {
  const hex = (mark: string) => mark.charCodeAt(0).toString(16);
  const pattern = key.replace(/\W/g, (mark) => `(\\\\?\\x${hex(mark)}|%(25)?${hex(mark)})`);
  return RegExp(pattern, "gi");
}
