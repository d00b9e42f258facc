/**
 * The plotter's page at `/`: files of the package, compressed, with a policy that lets nothing else
 * run. They hold no data and need no key; what the page asks for does.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { gunzipSync } from "node:zlib";
import type { Reply, Request } from "./exchange.ts";
import { refuse } from "./refusals.ts";
import type { HttpRoute } from "./routes.ts";

/** Policy of the page: its own scripts, the kernel, and this server; nothing else. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": POLICY,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

/** The names of files of assets hold hashes of their content. */
const FOREVER = "public, max-age=31536000, immutable";

/** A file that is ready to be sent. */
interface PageFile {
  readonly headers: Readonly<Record<string, string>>;
  readonly etag: string;
  readonly gzip: Uint8Array;
  /** The content, unpacked for the first client that takes no gzip. */
  plain?: Uint8Array;
}

let loading: Promise<ReadonlyMap<string, PageFile>> | undefined;

/** The files by their paths, read at the first request. */
function files(): Promise<ReadonlyMap<string, PageFile>> {
  loading ??= read();
  return loading;
}

async function read(): Promise<ReadonlyMap<string, PageFile>> {
  const { APP_FILES } = await import("../../web/app.gen.ts");
  return new Map(APP_FILES.map(({ path, type, hash, gzip }) => {
    const headers = {
      ...PAGE_HEADERS,
      "content-type": type,
      "cache-control": path === "index.html" ? "no-cache" : FOREVER,
      vary: "accept-encoding, origin",
    };
    const file = { headers, etag: `"${hash}"`, gzip: Buffer.from(gzip.join(""), "base64") };
    return [path === "index.html" ? "/" : `/${path}`, file];
  }));
}

/** The page and its assets. */
export const PAGE_ROUTES: readonly HttpRoute[] = ["/", "/assets/*"].map((path) => ({
  path,
  methods: ["GET", "HEAD"],
  service: "pages",
  name: "File",
  authenticated: false,
  run: async ({ request, reply, path }) => send((await files()).get(path), request, reply),
}));

function send(file: PageFile | undefined, request: Request, reply: Reply): void {
  if (file === undefined) return refuse(reply, 404, "there is nothing here");
  const { headers } = file;
  // The two encodings are two representations: a cache must not mix them up.
  const isPlain = !acceptsGzip(request.header("accept-encoding"));
  const etag = isPlain ? file.etag : file.etag.replace(/"$/, '-gzip"');
  if (matches(request.header("if-none-match"), file.etag)) {
    reply.begin(304, { ...headers, etag });
    return reply.end();
  }
  const body = isPlain ? file.plain ??= gunzipSync(file.gzip) : file.gzip;
  const encoding: Record<string, string> = isPlain ? {} : { "content-encoding": "gzip" };
  reply.begin(200, { ...headers, ...encoding, etag, "content-length": String(body.length) });
  if (request.method === "HEAD") reply.end();
  else reply.end(body);
}

/** Tells whether a client takes gzip (RFC 9110, section 12.5.3). */
function acceptsGzip(accepted: string | undefined): boolean {
  const weights = new Map<string, number>();
  for (const part of (accepted ?? "").toLowerCase().split(",")) {
    const [coding = "", ...parameters] = part.split(";").map((text) => text.trim());
    const q = parameters.find((parameter) => parameter.startsWith("q="));
    weights.set(coding, q === undefined ? 1 : Number(q.slice(2)));
  }
  return (weights.get("gzip") ?? weights.get("*") ?? 0) > 0;
}

/** Tells whether the client has this content already, in either encoding. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === "*") return true;
  const bare = etag.slice(1, -1);
  return header.split(",").some((text) =>
    text.trim().replace(/^W\//, "").replace(/^"|(-gzip)?"$/g, "") === bare
  );
}
