/** TLS, API keys and the end of the process, through `connect` against `serve`. */

import { BTrDBError, connect } from "@btrdb/btrdb";
import { serve } from "@btrdb/btrdb/server";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { haveOpenssl, makeCertificate } from "../support/certificate.ts";

const ROOT = new URL("../../", import.meta.url);

/** Address of a server, and the certificate to trust. */
interface Secure {
  port: number;
  ca: string;
  caFile: string;
}

/** Runs something against a server that speaks TLS and wants a key. */
async function withServer(use: (server: Secure) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const { cert, key } = await makeCertificate(folder);
    await using served = await connect("memory:");
    await using server = await serve(served, {
      port: 0,
      hostname: "127.0.0.1",
      tls: { cert, key },
      apiKeys: [
        { key: "all", capabilities: ["read", "insert", "delete", "obliterate", "admin"] },
        { key: "reader", capabilities: ["read"] },
      ],
    });
    await use({ port: server.port, ca: await Deno.readTextFile(cert), caFile: cert });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function runProgram(program: string, env: Record<string, string>): Promise<string> {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, program);
    const config = new URL("deno.json", ROOT).pathname;
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--config", config, file],
      cwd: ROOT,
      env,
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout).trim();
  } finally {
    await Deno.remove(file);
  }
}

const CASES: [name: string, run: (server: Secure) => Promise<void>][] = [
  [
    "TLS: by scheme with a certificate, by option on any port, with another name",
    async ({ port, ca }) => {
      const targets: [string, object][] = [
        [`btrdb+tls://127.0.0.1:${port}`, { ca }],
        [`127.0.0.1:${port}`, { ca }],
        [`btrdb+tls://localhost:${port}`, { ca, serverName: "localhost" }],
      ];
      for (const [target, tls] of targets) {
        await using db = await connect(target, { apiKey: "all", tls });
        const stream = await db.create(crypto.randomUUID(), target);
        await stream.insert([[1n, 1]]);
        assertEquals(await stream.count(), 1n);
      }
    },
  ],
  ["TLS and key from the environment, and the process ends by itself", async ({ port, caFile }) => {
    const out = await runProgram(
      `import { connect } from "@btrdb/btrdb";
         await using db = await connect();
         const stream = await db.create(crypto.randomUUID(), "secure");
         await stream.insert([[1n, 1]]);
         for await (const _ of stream.rawValues(0n, 9n)) break;
         console.log(await stream.count());`,
      {
        BTRDB_ENDPOINTS: `btrdb+tls://127.0.0.1:${port}`,
        BTRDB_API_KEY: "all",
        BTRDB_CA_BUNDLE: caFile,
      },
    );
    assertEquals(out, "1n");
  }],
  [
    "an unknown key is UNAUTHENTICATED, a key without the right PERMISSION_DENIED",
    async ({ port, ca }) => {
      const target = `btrdb+tls://127.0.0.1:${port}`;
      const wrong = await assertRejects(
        async () => {
          await using db = await connect(target, { apiKey: "nobody", tls: { ca } });
          await Array.fromAsync(db.listCollections());
        },
        BTrDBError,
      );
      assertEquals([wrong.code, wrong.status, wrong.retryable], [0, "UNAUTHENTICATED", false]);
      await using db = await connect(target, { apiKey: "reader", tls: { ca } });
      const denied = await assertRejects(
        () => db.create(crypto.randomUUID(), "secure"),
        BTrDBError,
      );
      assertEquals([denied.code, denied.status], [0, "PERMISSION_DENIED"]);
      assertEquals(await Array.fromAsync(db.listCollections("secure")), ["secure"]);
    },
  ],
  [
    "a certificate that nobody trusts is refused, and plain text to TLS is an error",
    async ({ port }) => {
      for (const target of [`btrdb+tls://127.0.0.1:${port}`, `btrdb://127.0.0.1:${port}`]) {
        const out = await runProgram(
          `import { connect } from "@btrdb/btrdb";
           const options = { retry: false as const, timeoutMs: 600_000 };
           const error = await connect("${target}", options).catch((thrown) => thrown);
           console.log(error.name, error.code, error.message);`,
          {},
        );
        assert(out.startsWith(`BTrDBError 0 Cannot connect to 127.0.0.1:${port}`), out);
      }
    },
  ],
];

Deno.test({
  name: "TLS and API keys",
  ignore: !haveOpenssl(),
  fn: (t) =>
    withServer(async (server) => {
      for (const [name, run] of CASES) await t.step(name, () => run(server));
    }),
});
