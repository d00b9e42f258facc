/** `btrdb serve`: serves a database over gRPC. @module */

import { onAbort } from "../../core/call.ts";
import { readPlainText } from "../../core/plain_file.ts";
import type { ApiKey, HttpOptions, ServeOptions, WriteOptions } from "../../server/mod.ts";
import type { Args } from "../words/parse_args.ts";
import { serverKey, serverKeys } from "../words/server_keys.ts";
import type { Command } from "../command.ts";
import { filePath } from "../words/file_target.ts";
import { ServerErrors } from "../server_errors.ts";
import { usageError } from "../errors.ts";

/** Variable with keys in JSON. */
const KEYS_VARIABLE = "BTRDB_SERVE_KEYS";

const command: Command = {
  name: "serve",
  args: "[TARGET]",
  arity: [0, 1],
  summary: "Serve a database to gRPC clients",
  about: [
    "Existing clients of the protocols v4 and v5 can use it unchanged. It runs until it is " +
    "interrupted, and then finishes the running calls.",
  ],
  options: {
    listen: {
      short: "l",
      value: "HOST:PORT",
      about:
        "Address to listen on; by default port 4410, with TLS 4411, for this machine only, or " +
        "with keys on all addresses; port 0 chooses a free port",
    },
    public: { about: "Listen beyond this machine without keys" },
    http: {
      value: "[HOST:]PORT",
      about:
        "Serve over HTTP too (gRPC-Web, data by URL), at the address of --listen unless another is given",
    },
    "http-origin": {
      value: "ORIGIN",
      multiple: true,
      about: "Serve pages of this origin, such as https://grid.example.org; repeatable",
    },
    influx: {
      value: "TEMPLATE",
      about: "Accept line protocol over HTTP, as InfluxDB does, into collections such as " +
        "{bucket}/{measurement}/{tags}; also {org}, {rp} and {tag.KEY}",
    },
    "influx-max-streams": {
      value: "N",
      about:
        "Streams that line protocol may make for each key while the server runs; by default 10000",
    },
    "metrics-port": { value: "PORT", about: "Serve /metrics, /healthz and /readyz over HTTP" },
    "tls-cert": { value: "FILE", about: "Certificate chain (PEM): serve with TLS" },
    "tls-key": { value: "FILE", about: "Private key of the certificate (PEM)" },
    "api-key": {
      value: "KEY[=LIST]",
      multiple: true,
      about: "Let in only clients with a key, for everything or some of read,insert,delete," +
        "obliterate,admin; repeatable",
    },
    "api-key-file": {
      value: "FILE",
      about: "Keys in JSON, as in $BTRDB_SERVE_KEYS: " +
        '[{"key": …, "capabilities": […], "collectionPrefixes": […]}]',
    },
    "read-only": {
      about:
        "Serve a file for reading only, beside the server that writes it; several may share it",
    },
    workers: {
      value: "N",
      about:
        "Threads that read points and windows beside the one that writes and sends, up to 64; " +
        "for a database in a file",
    },
    "metrics-host": {
      value: "HOST",
      about: "Address of the metrics port; by default that of --listen",
    },
  },
  examples: [
    { line: "btrdb serve file:grid.btrdb", about: "One file on port 4410 of this machine" },
    {
      line:
        "btrdb serve file:grid.btrdb --listen 0.0.0.0:4411 --tls-cert cert.pem --tls-key key.pem",
      about: "With TLS, for other machines",
    },
    {
      line: "btrdb serve file:grid.btrdb --read-only --listen 127.0.0.1:4420",
      about: "A second server of the same file, for clients that only read",
    },
    {
      line: "btrdb serve file:grid.btrdb --http 8086 --influx '{bucket}/{measurement}/{tags}'",
      about: "What Telegraf and other clients of InfluxDB write, on port 8086",
    },
  ],
  json: "{ address, hostname, port, httpPort, tls, target, readOnly }, once it listens",
  async run(context, args) {
    const target = args.positionals[0] ?? context.target;
    if (target === undefined) {
      throw usageError(
        "Command serve needs a database",
        "for example `btrdb serve file:grid.btrdb`",
      );
    }
    const options = await serveOptions(args);
    const readOnly = args.has("read-only");
    if (readOnly) checkReadOnly(target, args);
    const db = await context.connect(target, readOnly ? "serve read-only" : "serve");
    const { serve } = await import("../../server/mod.ts");
    const errors = new ServerErrors((text) => context.fault(text));
    const server = await serve(db, { ...options, onError: (error) => errors.report(error) });
    const { address, hostname, port, httpPort, tls, notice } = server;
    if (context.json) {
      context.printJson({ address, hostname, port, httpPort, tls, target, readOnly });
    }
    const how = readOnly ? `${target} for reading only` : target;
    context.talk(`${notice}\nServing ${how}; interrupt to stop`);
    if (!context.signal.aborted) {
      await new Promise<void>((resolve) => onAbort(context.signal, resolve));
    }
    await server.stop();
    context.talk("Stopped");
  },
};

/** Fails where there is nothing to share, or something would have to be written. */
function checkReadOnly(target: string, args: Args): void {
  if (filePath(target) === undefined) {
    throw usageError(
      `Cannot serve ${target} with --read-only: it is not a file`,
      "for example `btrdb serve file:grid.btrdb --read-only`; keys of other databases may have " +
        "the capability read alone",
    );
  }
  if (args.has("influx")) {
    throw usageError("Options --read-only and --influx exclude each other: line protocol writes");
  }
}

async function serveOptions(args: Args): Promise<ServeOptions> {
  const [cert, key] = [args.text("tls-cert"), args.text("tls-key")];
  if ((cert === undefined) !== (key === undefined)) {
    throw usageError("Options --tls-cert and --tls-key belong together");
  }
  const listen = args.text("listen");
  const options: ServeOptions = listen === undefined ? {} : listenAddress(listen);
  if (cert !== undefined && key !== undefined) options.tls = { cert, key };
  const keys = await keysOf(args);
  if (keys.length > 0) options.apiKeys = keys;
  if (args.has("public")) options.allowPublic = true;
  const workers = args.integer("workers", 0, 64);
  if (workers !== undefined) options.workers = workers;
  const metrics = args.integer("metrics-port", 0, 65_535);
  if (metrics !== undefined) options.metricsPort = metrics;
  const metricsHost = args.text("metrics-host");
  if (metricsHost !== undefined) options.metricsHost = metricsHost;
  const http = httpOptions(args);
  if (http !== undefined) options.http = http;
  return options;
}

function httpOptions(args: Args): HttpOptions | undefined {
  const listen = args.text("http");
  const origins = args.list("http-origin");
  if (listen === undefined) {
    if (origins.length > 0) throw usageError("Option --http-origin needs --http");
    if (args.has("influx")) throw usageError("Option --influx needs --http");
  }
  const write = writeOptions(args);
  if (listen === undefined) return undefined;
  const options: HttpOptions = listen.includes(":")
    ? { ...listenAddress(listen, "--http"), origins }
    : { port: args.integer("http", 0, 65_535)!, origins };
  if (write !== undefined) options.write = write;
  return options;
}

function writeOptions(args: Args): WriteOptions | undefined {
  const collection = args.text("influx");
  const maxStreams = args.integer("influx-max-streams", 0, 2 ** 31 - 1);
  if (collection === undefined) {
    if (maxStreams !== undefined) throw usageError("Option --influx-max-streams needs --influx");
    return undefined;
  }
  return maxStreams === undefined ? { collection } : { collection, maxStreams };
}

/** Keys of all three places together. */
async function keysOf(args: Args): Promise<ApiKey[]> {
  let keys = args.list("api-key").map(serverKey);
  const file = args.text("api-key-file");
  if (file !== undefined) keys = keys.concat(serverKeys(await readKeys(file), file));
  const variable = Deno.env.get(KEYS_VARIABLE);
  // One that is empty is an error too: it may be all that came of a file that was not there.
  return variable === undefined ? keys : keys.concat(serverKeys(variable, `$${KEYS_VARIABLE}`));
}

async function readKeys(file: string): Promise<string> {
  if (/^\s*[[{]/.test(file)) {
    throw usageError(
      "Cannot read --api-key-file: expected the path of a file with keys, not the keys themselves",
    );
  }
  try {
    return await readPlainText(file);
  } catch (error) {
    throw usageError(`Cannot read --api-key-file ${file}: ${(error as Error).message}`);
  }
}

function listenAddress(text: string, option = "--listen"): { hostname: string; port: number } {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:]*)):(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65535) {
    throw usageError(
      `Cannot use ${option} ${text}: expected HOST:PORT`,
      "for example 127.0.0.1:4410",
    );
  }
  return { hostname: match[1] ?? (match[2] || "0.0.0.0"), port };
}

export default command;
