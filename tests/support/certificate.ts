/** Certificates for tests, made by the openssl program. */

/** Paths of a certificate and its key. */
export interface CertificateFiles {
  cert: string;
  key: string;
}

/** Tells whether openssl is installed. */
export function haveOpenssl(): boolean {
  try {
    return new Deno.Command("openssl", { args: ["version"] }).outputSync().success;
  } catch {
    return false;
  }
}

/**
 * Makes a certificate for localhost and 127.0.0.1 that signs itself.
 *
 * @param extensions Further ones: some clients take no authority for a server.
 */
export async function makeCertificate(
  folder: string,
  name = "server",
  extensions: readonly string[] = [],
): Promise<CertificateFiles> {
  const cert = `${folder}/${name}.pem`;
  const key = `${folder}/${name}.key`;
  const args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"];
  args.push("-subj", `/CN=${name}`, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1");
  for (const extension of extensions) args.push("-addext", extension);
  args.push("-keyout", key, "-out", cert);
  const { success, stderr } = await new Deno.Command("openssl", { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return { cert, key };
}
