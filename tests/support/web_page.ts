/** Programs in a page of a real browser, of another origin than the server's. */

import { assertEquals } from "@std/assert";
import { type BTrDB, connect } from "@btrdb/btrdb";
import { serve, type Server } from "@btrdb/btrdb/server";
import { bundleFor, Site, strictPolicy } from "./web_bundle.ts";

/** The parts of a page that tests need, in any browser. */
export interface WebPage {
  readonly lines: readonly string[];
  readonly problems: readonly string[];
  open(url: string): Promise<void>;
  until(expression: string): Promise<void>;
  close(): Promise<void>;
}

/** A program in a page. */
export interface WebProgram {
  /** Starts the browser. */
  readonly start: () => Promise<AsyncDisposable & { page(): Promise<WebPage> }>;
  /** Source of the program, for the address of a server. */
  readonly source: (target: string) => string;
  /** Files of imports that are not the usual ones. */
  readonly imports?: Readonly<Record<string, string>>;
  /** Opens the database behind the server. @default one in memory */
  readonly database?: () => Promise<BTrDB>;
}

/** Runs a program as a page with a strict policy; fails if the page had any problem. */
export async function inWebPage<T>(
  { start, source, imports, database = () => connect("memory:") }: WebProgram,
  use: (page: WebPage, server: Server) => Promise<T>,
): Promise<T> {
  await using db = await database();
  await using site = await Site.open();
  await using server = await serve(db, { port: 0, http: { port: 0, origins: [site.origin] } });
  const target = `http://127.0.0.1:${server.httpPort}`;
  site.show(await bundleFor(source(target), imports), strictPolicy(target));
  await using browser = await start();
  const page = await browser.page();
  await page.open(site.origin);
  const result = await use(page, server);
  assertEquals(page.problems, []);
  return result;
}
