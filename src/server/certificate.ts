/**
 * Certificates that renew themselves: PEM files are looked at now and then, and a changed pair is
 * used from the next connection on (docs/server.md, "TLS").
 *
 * @module
 */

import { pathProblem } from "../core/path_problem.ts";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { ServerTlsOptions } from "./options.ts";
import type { Certificate } from "./transport/port.ts";
import { invalidType } from "../core/argument_error.ts";
import { NotAFileError, readPlainText } from "../core/plain_file.ts";

const NO_PAIR = "Cannot use tls: cert and key are not a PEM certificate chain and its private key";

/**
 * Reads the certificate and key.
 *
 * @throws {TypeError} If they are no PEM certificate and key that belong together.
 * @throws What the file system says about a missing file.
 */
export async function readCertificate(options: ServerTlsOptions): Promise<Certificate> {
  // One after the other: if neither can be read, the error always names the certificate.
  const cert = await pem(options.cert, "tls.cert");
  const key = await pem(options.key, "tls.key");
  try {
    createSecureContext({ cert, key });
    // The context alone takes any two: handshakes would fail later, one by one.
    if (new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return { cert, key };
  } catch (cause) {
    throw invalidType(NO_PAIR, { cause });
  }
  throw invalidType(NO_PAIR);
}

/**
 * Watches the files of a certificate.
 *
 * @param options Paths of the certificate and the key.
 * @param current Certificate and key in use.
 * @param renew Called with each new pair. A pair that is half written or broken is not used.
 * @returns Ends the watching.
 */
export function watchCertificate(
  options: ServerTlsOptions,
  current: Certificate,
  renew: (certificate: Certificate) => void,
): () => void {
  if (isPem(options.cert) && isPem(options.key)) return () => {};
  let busy = false;
  let stopped = false;
  const look = async () => {
    if (busy) return;
    busy = true;
    try {
      const next = await readCertificate(options);
      if (!stopped && (next.cert !== current.cert || next.key !== current.key)) {
        current = next;
        renew(next);
      }
    } catch {
      // Files in the middle of being replaced: the old pair stays until the new one is whole.
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(look, options.reloadEveryMs ?? 1_000);
  return () => {
    stopped = true;
    clearInterval(timer);
  };
}

function isPem(text: string): boolean {
  return text.includes("-----BEGIN");
}

/** @param name Name of the option. */
async function pem(textOrPath: string, name: string): Promise<string> {
  if (isPem(textOrPath)) return textOrPath;
  try {
    return await readPlainText(textOrPath);
  } catch (cause) {
    const problem = pathProblem(cause);
    const reason = problem === undefined ? undefined : `${textOrPath}: ${problem}`;
    const what = cause instanceof NotAFileError ? cause.message : reason;
    if (what === undefined) throw cause;
    throw invalidType(`Cannot use ${name}: ${what}`, { cause });
  }
}
