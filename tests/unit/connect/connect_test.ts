import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { BTrDBError, connect, type ConnectOptions, verifyFile } from "@btrdb/btrdb";
import { freePort } from "../../support/free_port.ts";

const ROOT = new URL("../../../", import.meta.url);

/** Runs a program against the package with only the given permissions. */
async function run(
  permissions: string[],
  program: string,
): Promise<{ code: number; out: string; err: string }> {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, program);
    const config = new URL("deno.json", ROOT).pathname;
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--no-check", "--config", config, ...permissions, file],
      cwd: ROOT,
      env: { NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
  } finally {
    await Deno.remove(file);
  }
}

const USE = `
  const stream = await db.create(crypto.randomUUID(), "demo");
  await stream.insert([[1n, 1]]);
  console.log(await stream.count());
`;

Deno.test("connect: a database in memory needs no permission, and the process ends by itself", async () => {
  const { code, out, err } = await run(
    [],
    `import { connect } from "@btrdb/btrdb";
     await using db = await connect("memory:");${USE}`,
  );
  assertEquals([code, out.trim(), err], [0, "1n", ""]);
});

Deno.test("connect: a file needs its folder only", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const { code, out, err } = await run(
      [`--allow-read=${folder}`, `--allow-write=${folder}`],
      `import { connect } from "@btrdb/btrdb";
       await using db = await connect("file:${folder}/grid.btrdb");${USE}`,
    );
    assertEquals([code, out.trim(), err], [0, "1n", ""]);
    assertEquals((await verifyFile(`${folder}/grid.btrdb`)).ok, true);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

// Whose a link is can be asked only with a permission, which no program needed to open a file.
Deno.test({
  name:
    "connect: a link needs no permission to know the user, unless another user may have planted it",
  ignore: Deno.build.os === "windows",
  async fn() {
    if (Deno.uid() !== 0) return console.warn("skipped, only root can give links to other users");
    const folder = await Deno.makeTempDir();
    try {
      await Deno.mkdir(`${folder}/shared`);
      await Deno.chmod(`${folder}/shared`, 0o1777);
      const link = `${folder}/shared/link.btrdb`;
      await Deno.symlink(`${folder}/grid.btrdb`, link);
      const permissions = [`--allow-read=${folder}`, `--allow-write=${folder}`];
      const program = `import { connect } from "@btrdb/btrdb";
         await using db = await connect("file:${link}"); console.log("open");`;
      assertEquals(await run(permissions, program), { code: 0, out: "open\n", err: "" });
      await Deno.chown(`${folder}/shared`, 12_345, 12_345);
      const refused = await run(permissions, program);
      assertEquals(refused.code, 1);
      assertStringIncludes(refused.err, "or allow --allow-sys=uid if it is yours");
      const allowed = await run([...permissions, "--allow-sys=uid"], program);
      assertEquals(allowed, { code: 0, out: "open\n", err: "" });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("connect: a bulk load needs the folder of its file only, and with more the process ends by itself", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const [i, read] of [`--allow-read=${folder}`, "--allow-read"].entries()) {
      const { code, out, err } = await run(
        [read, `--allow-write=${folder}`],
        `import { connect } from "@btrdb/btrdb";
         await using db = await connect("file:${folder}/bulk.btrdb");
         const stream = await db.create(crypto.randomUUID(), "demo/${i}");
         const n = 700_000;
         await stream.insert({
           times: BigInt64Array.from({ length: n }, (_, i) => BigInt(i) * 1_000_000n),
           values: new Float64Array(n).map((_, i) => i / 8),
         });
         console.log(await stream.count());`,
      );
      assertEquals([code, out.trim(), err], [0, "700000n", ""]);
    }
    assertEquals((await verifyFile(`${folder}/bulk.btrdb`)).ok, true);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("BTrDB.sql: without the permission to read its module, the error says what is missing", async () => {
  const { code, out, err } = await run(
    [],
    `import { connect } from "@btrdb/btrdb";
     await using db = await connect("memory:");${USE}
     const error = await Array.fromAsync(db.sql("SELECT 1")).catch((error) => error);
     console.log(error.name, error.status, error.message);
     console.log(await stream.count());`,
  );
  const [before, told, after] = out.trim().split("\n");
  assertEquals([code, before, after, err], [0, "1n", "1n", ""]);
  for (const part of ["BTrDBError CANNOT_OPEN", "--allow-read", "sql_worker.ts"]) {
    assert(told!.includes(part), out);
  }
});

Deno.test("BTrDB.sql: with --allow-read alone queries run in a thread, and the process ends by itself", async () => {
  for (const permissions of [["--allow-read"], ["--allow-read", "--allow-run"]]) {
    const { code, out, err } = await run(
      permissions,
      `import { connect } from "@btrdb/btrdb";
       await using db = await connect("memory:");${USE}
       console.log(await Array.fromAsync(db.sql("SELECT collection FROM streams")));`,
    );
    assertEquals([code, err], [0, ""]);
    assert(out.includes('collection: "demo"'), out);
  }
});

Deno.test("connect: without a target and without permissions, the error says what is missing", async () => {
  const { code, err } = await run(
    [],
    `import { connect } from "@btrdb/btrdb"; await connect();`,
  );
  assertEquals(code, 1);
  for (const part of ["no target was given", "$BTRDB_ENDPOINTS", "--allow-env"]) {
    assert(err.includes(part), err);
  }
});

Deno.test("connect: the environment names the target, the key and the profile", async () => {
  const { code, out, err } = await run(
    ["--allow-env"],
    `import process from "node:process";
     import { connect } from "@btrdb/btrdb";
     process.env.BTRDB_ENDPOINTS = "memory:";
     process.env.BTRDB_API_KEY = "k";
     await using db = await connect();${USE}`,
  );
  assertEquals([code, out.trim(), err], [0, "1n", ""]);
});

Deno.test("connect: options of the wrong kind are refused", async () => {
  const wrong: [object, new (message: string) => Error, string][] = [
    [{ protocol: "v6" }, RangeError, 'protocol is "v6", expected one of "auto", "v4", "v5"'],
    [{ apiKey: 5 }, TypeError, "apiKey is 5, expected a string"],
    [{ profile: 5 }, TypeError, "profile is 5"],
    [{ tls: "yes" }, TypeError, 'tls is "yes", expected a boolean or an object'],
    [{ timeoutMs: -1 }, RangeError, "timeoutMs is -1"],
  ];
  for (const [options, kind, message] of wrong) {
    await assertRejects(() => connect("memory:", options), kind, message);
  }
});

Deno.test("connect: nobody there: UNAVAILABLE with the address, and the process ends by itself", async () => {
  const target = `127.0.0.1:${freePort()}`;
  const { code, out, err } = await run(
    ["-A"],
    `import { connect } from "@btrdb/btrdb";
     const error = await connect("${target}", { retry: false }).catch((thrown) => thrown);
     console.log(error.name, error.code, error.status, error.retryable, error.message);`,
  );
  assertEquals([code, err], [0, ""]);
  assert(out.startsWith(`BTrDBError 0 UNAVAILABLE true Cannot connect to ${target}`), out);
});

Deno.test("connect: aborted before it begins: the reason", async () => {
  const reason = new Error("changed my mind");
  const signal = AbortSignal.abort(reason);
  for (const where of [`127.0.0.1:${freePort()}`, "memory:"]) {
    assertStrictEquals(await connect(where, { signal }).catch((thrown) => thrown), reason);
  }
});

Deno.test("connect: somebody there who says nothing: DEADLINE_EXCEEDED in time", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const taken: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const connection of listener) taken.push(connection);
  })();
  try {
    const { code, out } = await run(
      ["-A"],
      `import { connect } from "@btrdb/btrdb";
       const waiting = connect("127.0.0.1:${port}", { timeoutMs: 300 });
       const error = await waiting.catch((thrown) => thrown);
       console.log(error.name, error.code, error.status);`,
    );
    assertEquals([code, out.trim()], [0, "BTrDBError 0 DEADLINE_EXCEEDED"]);
  } finally {
    listener.close();
    await accepting;
    for (const connection of taken) connection.close();
  }
});

Deno.test("connect: a certificate bundle that cannot be read is named", async () => {
  const { code, err } = await run(
    ["--allow-env", "--allow-read", "--allow-net"],
    `import process from "node:process";
     import { connect } from "@btrdb/btrdb";
     process.env.BTRDB_CA_BUNDLE = "/nonexistent/ca.pem";
     await connect("btrdb+tls://127.0.0.1:1");`,
  );
  assertEquals(code, 1);
  assert(err.includes("$BTRDB_CA_BUNDLE names /nonexistent/ca.pem, which cannot be read"), err);
});

// Its variable is set in a process of its own: that of the tests has one environment for all that run beside.
Deno.test({
  name: "connect: a FIFO in the place of the certificates is an error at once",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir();
    const fifo = `${folder}/fifo`;
    assert((await new Deno.Command("mkfifo", { args: [fifo] }).output()).success);
    const { code, err } = await run(
      ["-A"],
      `import process from "node:process";
       import { connect } from "@btrdb/btrdb";
       process.env.BTRDB_CA_BUNDLE = "${fifo}";
       await connect("grpcs://127.0.0.1:1");`,
    );
    assertEquals(code, 1);
    const why = `${fifo} is a FIFO, expected a file`;
    assertStringIncludes(err, `Cannot connect: $BTRDB_CA_BUNDLE is wrong: ${why}`);
    await Deno.remove(folder, { recursive: true });
  },
});

Deno.test("connect: closing twice does nothing, and a closed database says so", async () => {
  const db = await connect("memory:");
  const stream = await db.create(crypto.randomUUID(), "demo");
  await Promise.all([db.close(), db.close()]);
  await db.close();
  await assertRejects(() => stream.count(), BTrDBError, "closed");
});

Deno.test("connect: options of the wrong type are refused by name, before anything is tried", async () => {
  const wrong = [
    [{ tls: { ca: 5 } }, "tls.ca is 5, expected a string"],
    [{ tls: { serverName: true } }, "tls.serverName is true, expected a string"],
    [{ retry: "no" }, 'retry is "no", expected an object or false'],
    [{ retry: null }, "retry is null, expected an object or false"],
    [{ retry: true }, "retry is true, expected an object or false"],
  ] as const;
  for (const [options, message] of wrong) {
    const call = () => connect("127.0.0.1:1", options as unknown as ConnectOptions);
    await assertRejects(call, TypeError, `Cannot connect: ${message}`);
  }
});

// A key that was given in the place of another option was in the error, and so in logs.
Deno.test("connect: a text that may be a key is in no error about another option", async () => {
  const key = "c0ffee-5e7-0f-a-grid";
  const wrong = [
    { retry: key },
    { retry: { attempts: key } },
    { retry: { budget: key } },
    { tls: key },
    { protocol: key },
    { maxMessageBytes: key },
  ];
  for (const options of wrong) {
    const call = () => connect("127.0.0.1:1", options as unknown as ConnectOptions);
    const error = await assertRejects(call, Error, "Cannot connect: ");
    assert(!Deno.inspect(error).includes("c0ffee"), error.message);
  }
});

// `["*"]` and `["https://a.example.org"]` match no host: members of a cluster were left out without a word.
Deno.test("connect: entries of allowedHosts that no host can match are refused", async () => {
  for (
    const host of ["*", "", "a:4410", "https://a", "a/b", "a.*", "*.*.a", "x@a", "a b", "[a]", 5]
  ) {
    const allowedHosts = ["a.example.org", host] as string[];
    const call = () => connect("127.0.0.1:1", { allowedHosts });
    await assertRejects(
      call,
      TypeError,
      `Cannot connect: allowedHosts[1] is ${Deno.inspect(host)}, `,
    );
  }
  const allowedHosts = ["a", "*.example.org", "10.0.0.7", "::1", "[fe80::1]", "bücher.example."];
  await connect("memory:", { allowedHosts }).then((db) => db.close());
});
