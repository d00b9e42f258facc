/**
 * The API key of the session: given once in the address, `#key=…`, or typed; kept in the storage of
 * the tab, and never in an address that is shared.
 *
 * @module
 */

const STORED = "btrdb.key";

/** Takes the key out of the address and keeps it; the rest of the fragment stays. */
export function takeKeyFromAddress(): void {
  const parts = location.hash.slice(1).split("&");
  const given = parts.find((part) => part.startsWith("key="));
  if (given === undefined) return;
  const rest = parts.filter((part) => !part.startsWith("key=")).join("&");
  history.replaceState(null, "", `${location.pathname}${location.search}${rest && `#${rest}`}`);
  try {
    keepKey(decodeURIComponent(given.slice("key=".length)));
  } catch {
    // It is no text: the server will ask for another.
  }
}

/** The key, if there is one. */
export function storedKey(): string | undefined {
  try {
    return sessionStorage.getItem(STORED) ?? undefined;
  } catch {
    return inMemory;
  }
}

/** Keeps a key for this tab. */
export function keepKey(key: string): void {
  inMemory = key;
  try {
    sessionStorage.setItem(STORED, key);
  } catch {
    // Storage is switched off: it is kept until the page is left.
  }
}

/** Forgets the key. */
export function forgetKey(): void {
  inMemory = undefined;
  try {
    sessionStorage.removeItem(STORED);
  } catch {
    // There was none.
  }
}

let inMemory: string | undefined;
