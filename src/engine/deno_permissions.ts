/**
 * Permissions of a Deno program, looked up without a prompt.
 *
 * @module
 */

/** Name of a permission. */
type Permission = "run" | "env" | "sys" | "read";

/** The part of Deno's API that tells what is allowed. */
interface DenoPermissions {
  readonly build: { readonly standalone?: boolean };
  readonly permissions: {
    querySync(
      descriptor: { name: Permission; path?: URL; kind?: "uid" },
    ): { readonly state: string };
  };
}

function deno(): DenoPermissions | undefined {
  return (globalThis as { Deno?: DenoPermissions }).Deno;
}

/** Tells whether this program is one that was compiled with its runtime. */
export function isStandalone(): boolean {
  return deno()?.build.standalone === true;
}

/** Tells whether something is allowed; true outside of Deno. */
export function isAllowed(name: Permission): boolean {
  return (deno()?.permissions.querySync({ name }).state ?? "granted") === "granted";
}

/** Tells whether a module of this package may be loaded in a thread; true outside of Deno. */
export function mayLoad(module: URL): boolean {
  if (module.protocol !== "file:") return true;
  const state = deno()?.permissions.querySync({ name: "read", path: module }).state;
  return (state ?? "granted") === "granted";
}

/** Tells whether this program may know its user; true outside of Deno. */
export function mayKnowUser(): boolean {
  const state = deno()?.permissions.querySync({ name: "sys", kind: "uid" }).state;
  return (state ?? "granted") === "granted";
}
