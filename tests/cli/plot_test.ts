/** `btrdb plot`: the plotter in a browser, and pictures. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { decodeView } from "../../src/web/plotter/view_fragment.ts";
import { btrdb, start, workspace } from "./support.ts";

const ROWS = "time,value\n" +
  Array.from({ length: 50 }, (_, i) => `2026-01-01T00:00:${String(i).padStart(2, "0")}Z,${i % 7}\n`)
    .join("");

/** A database with one stream. */
async function database(dir: { path: string; env: Record<string, string> }): Promise<string[]> {
  await Deno.writeTextFile(`${dir.path}/rows.csv`, ROWS);
  const target = ["-d", `file:${dir.path}/p.btrdb`];
  const args = [...target, "import", `${dir.path}/rows.csv`, "-i", "lab"];
  assertEquals((await btrdb(args, { env: dir.env })).code, 0);
  return target;
}

Deno.test("plot --web: a server for this machine with a key for this once, until it is interrupted", async () => {
  await using dir = await workspace();
  const target = await database(dir);
  const child = start(
    [...target, "plot", "--web", "--no-open", "lab/value", "--tz", "Asia/Tokyo"],
    {
      env: dir.env,
    },
  );
  let code: number;
  try {
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (let isDone = false; !isDone && !text.includes("\n");) {
      const { value = "", done } = await reader.read();
      text += value;
      isDone = done;
    }
    const url = new URL(text.trim());
    assertEquals([url.hostname, url.pathname], ["127.0.0.1", "/"]);
    const [key, ...rest] = url.hash.slice(1).split("&");
    assertMatch(key!, /^key=[0-9a-f]{48}$/);
    const { view, problems } = decodeView(rest.join("&"));
    assertEquals(problems, []);
    assertEquals(view.zone, "Asia/Tokyo");
    assertEquals(view.plots.length, 1);
    const page = await fetch(url.origin);
    assertStringIncludes(await page.text(), "BTrDB plotter");
    const call = (authorization: string) =>
      fetch(`${url.origin}/v5api.BTrDB/ListCollections`, {
        method: "POST",
        headers: { "content-type": "application/grpc-web+proto", authorization },
        body: new Uint8Array(5),
      }).then((response) => response.text());
    assert(!(await call("Bearer wrong")).includes("lab"));
    assertStringIncludes(await call(`Bearer ${key!.slice(4)}`), "lab");
    await reader.cancel();
  } finally {
    child.kill("SIGINT");
    [{ code }] = await Promise.all([child.status, child.stderr.cancel()]);
  }
  assertEquals(code, 0);
});

// The key was among the words with which the browser was started, which `ps` shows to all users of a
// machine as long as the browser runs.
Deno.test({
  name: "plot --web: no key is among the words of a process, and the link there leads on once",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using dir = await workspace();
    const target = await database(dir);
    const opener = '#!/bin/sh\necho "$@" > $OPENED.part && mv $OPENED.part $OPENED\n';
    await Deno.mkdir(`${dir.path}/bin`);
    await Deno.writeTextFile(`${dir.path}/bin/xdg-open`, opener, { mode: 0o755 });
    const opened = `${dir.path}/opened`;
    const PATH = `${dir.path}/bin:${Deno.env.get("PATH")}`;
    const env = { ...dir.env, PATH, OPENED: opened, DISPLAY: ":1" };
    const child = start([...target, "plot", "--web", "--json", "lab/value"], { env });
    try {
      const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
      let said = "";
      while (!said.includes("interrupt to stop")) said += (await reader.read()).value!;
      await reader.cancel();
      assertStringIncludes(said, "Opened in the browser");
      const link = (await Deno.readTextFile(opened)).trim();
      assertMatch(link, /^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{48}$/);
      const follow = async (url: string) => {
        const answer = await fetch(url, { redirect: "manual" });
        await answer.body?.cancel();
        return [answer.status, answer.headers.get("location")];
      };
      assertEquals(await follow(new URL("/", link).href), [404, null]);
      assertEquals(await follow(link.replace(/.$/, "x")), [404, null]);
      const [status, address] = await follow(link);
      assertEquals(status, 303);
      assertMatch(String(address), /^http:\/\/127\.0\.0\.1:\d+\/#key=[0-9a-f]{48}&plots=/);
      assertEquals(await follow(link), [410, null]);
      child.kill("SIGINT");
      const stdout = await new Response(child.stdout).json();
      assertEquals(stdout, { url: address });
      assertEquals((await child.status).code, 0);
    } catch (error) {
      child.kill("SIGKILL");
      await Promise.all([child.status, child.stdout.cancel()]);
      throw error;
    }
  },
});

Deno.test("plot --web: options of other plots are refused", async () => {
  await using dir = await workspace();
  const target = await database(dir);
  for (const more of [["--svg", "x.svg"], ["--overlay"], ["--width", "50"]]) {
    const { code, stderr } = await btrdb([...target, "plot", "lab/value", "--web", ...more], {
      env: dir.env,
    });
    assertEquals(code, 2, more.join(" "));
    assertStringIncludes(stderr, `Options --web and ${more[0]} exclude each other`);
  }
  const { code, stderr } = await btrdb([...target, "plot", "lab/value", "--no-open"], {
    env: dir.env,
  });
  assertEquals(code, 2);
  assertStringIncludes(stderr, "Option --no-open needs --web");
});

// 80.3 ended in an error about BigInt, and a milliard took all memory and never ended.
Deno.test("plot: any $COLUMNS gives a plot, of at most 1000 characters a line", async () => {
  await using dir = await workspace();
  const args = [...await database(dir), "plot", "lab/value"];
  const widthWith = async (columns: string): Promise<number> => {
    const { code, stdout, stderr } = await btrdb(args, { env: { ...dir.env, COLUMNS: columns } });
    assertEquals(code, 0, stderr);
    return Math.max(...stdout.split("\n").map((line) => line.length));
  };
  for (const strange of ["80.3", "Infinity", "-3", "wide"]) {
    const width = await widthWith(strange);
    assert(width >= 30 && width <= 1000, `${strange}: ${width}`);
  }
  assertEquals([await widthWith("60"), await widthWith("1000000000")], [60, 1000]);
});

Deno.test("plot --svg: a picture in a file or on stdout", async () => {
  await using dir = await workspace();
  const target = await database(dir);
  const path = `${dir.path}/a.svg`;
  const args = [...target, "plot", "lab/value", "--svg"];
  const file = await btrdb([...args, path, "--width", "700"], { env: dir.env });
  assertEquals([file.code, file.stdout], [0, ""]);
  const svg = await Deno.readTextFile(path);
  assertMatch(svg, /^<svg [^>]*width="700"/);
  assertStringIncludes(svg, "<title>lab/value</title>");
  const out = await btrdb([...args, "-"], { env: dir.env });
  assertStringIncludes(out.stdout, "</svg>");
  const nowhere = await btrdb([...args, `${dir.path}/no/a.svg`], { env: dir.env });
  assertEquals(nowhere.code, 3);
  assertStringIncludes(nowhere.stderr, "Cannot write");
});
