import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { openEngine } from "../../../src/engine/mod.ts";
import { serve, type ServeOptions } from "../../../src/server/mod.ts";

/** The error of a server with options that the compiler would refuse. */
async function refusal(options: object): Promise<string> {
  await using engine = await openEngine();
  const start = async () => {
    const server = await serve(engine, { port: 0, ...options } as ServeOptions);
    await server.stop({ graceful: false });
  };
  return (await assertRejects(start, TypeError, "", JSON.stringify(options))).message;
}

Deno.test("serve: an option that there is not is refused: a misspelt apiKeys once served everyone", async () => {
  const cases: [object, string][] = [
    [{ keys: [] }, '"keys"'],
    [{ apikeys: [{ key: "k", capabilities: [] }] }, '"apikeys"'],
    [{ anonymus: { capabilities: [] } }, '"anonymus"'],
    [{ limits: { concurrent: 3 } }, '"limits.concurrent"'],
    [{ limits: 3 }, "limits is 3"],
    [{ tls: { cert: "c", key: "k", ca: "x" } }, '"tls.ca"'],
    [{ http: { prt: 1 } }, '"http.prt"'],
    [{ http: { write: { maxStream: 1 } } }, '"http.write.maxStream"'],
    [{ ["__proto__x"]: 1 }, '"__proto__x"'],
    [{ toString: 1 }, '"toString"'],
  ];
  for (const [options, text] of cases) assertStringIncludes(await refusal(options), text);
});

Deno.test("serve: keys with rights of another form are refused, and no key is in the error", async () => {
  const key = "c2VjcmV0";
  const cases: [object, string][] = [
    [{ apiKeys: key }, "apiKeys is no array"],
    [{ apiKeys: [{ capabilities: ["read"] }] }, "visible ASCII"],
    [{ apiKeys: [{ key, capabilities: "read" }] }, "capabilities is"],
    [{ apiKeys: [{ key }] }, "capabilities is undefined"],
    [{ apiKeys: [{ key, capabilities: ["read"], collectionPrefix: ["a/"] }] }, "collectionPrefix"],
    [
      { apiKeys: [{ key, capabilities: ["read"], collectionPrefixes: "a/" }] },
      "collectionPrefixes is",
    ],
    [
      { apiKeys: [{ key, capabilities: ["read"], collectionPrefixes: [1] }] },
      "collectionPrefixes is",
    ],
    [{ apiKeys: [{ key, capabilities: [] }], anonymous: { capability: [] } }, '"anonymous'],
  ];
  for (const [options, text] of cases) {
    const message = await refusal(options);
    assertStringIncludes(message, text);
    assertEquals(message.includes(key), false, message);
  }
});

// A list with the keys themselves, and one whose key stood where a member's name belongs, were
// refused with the key in the message. `null`, which is what a list may be that could not be read,
// served everyone.
Deno.test("serve: apiKeys of any other form are refused, and nothing of a key is in the error", async () => {
  const key = "c2VjcmV0";
  const capabilities = ["read"];
  const cases: [unknown, string][] = [
    [null, "apiKeys is no array"],
    [[key], "apiKeys[0] is no object"],
    [[[key]], "apiKeys[0] has other members"],
    [[{ [key]: capabilities }], "apiKeys[0] has other members"],
    [[{ key, capabilities }, undefined], "apiKeys[1] is no object"],
    [[{ key, capabilities }, null], "apiKeys[1] is no object"],
  ];
  for (const [apiKeys, text] of cases) {
    const message = await refusal({ apiKeys });
    assertStringIncludes(message, text);
    assertEquals(message.includes(key), false, message);
  }
});

// A key that was listed for reading alone, and again with all rights, had the rights that came last.
Deno.test("serve: a key that is given twice is refused", async () => {
  const apiKeys = [
    { key: "c2VjcmV0", capabilities: ["read"] },
    { key: "other", capabilities: ["read"] },
    { key: "c2VjcmV0", capabilities: ["read", "delete"] },
  ];
  assertEquals(
    await refusal({ apiKeys }),
    "Cannot serve: apiKeys[2] is the same key as apiKeys[0], expected it once",
  );
});
