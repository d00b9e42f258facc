/**
 * Explains in plain words why grpc-js could not connect.
 *
 * @module
 */

/** Texts of TLS libraries when the server's answer is not TLS (Deno's rustls, Node's OpenSSL). */
const NOT_TLS =
  /InvalidContentType|wrong version number|packet length too long|WRONG_VERSION_NUMBER/;

/**
 * Takes from a text of grpc-js what a user can do without, and says what is behind it where that is
 * known.
 *
 * @param details As grpc-js gives them.
 */
export function connectionText(details: string): string {
  if (NOT_TLS.test(details)) {
    return "it does not speak TLS on this port; use http:// or another port";
  }
  return details
    .replace(/^No connection established\. Last error: /, "")
    .replace(/\.? Resolution note: $/, "")
    .replace(/ \(\d{4}-\d\d-\d\dT[\d:.]+Z\)$/, "")
    .replace(/^Error: /, "");
}

/**
 * Explains the first bytes of a server that does not speak HTTP/2.
 *
 * @param bytes The first bytes that came, at least one.
 */
export function protocolText(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const isTls = (first === 0x15 || first === 0x16) && second === 3;
  if (isTls) return "it speaks TLS on this port; use https:// or port 4411";
  const text = String.fromCharCode(...bytes.subarray(0, 16)).replace(/[^\x20-\x7e]/g, "?");
  if (text.startsWith("HTTP/1")) return "it speaks HTTP/1 on this port, not gRPC";
  return `it does not speak HTTP/2 on this port: its answer begins with "${text}"`;
}
