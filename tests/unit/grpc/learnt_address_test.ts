import { assertEquals } from "@std/assert";
import { learntAddress } from "../../../src/grpc/call/learnt_address.ts";

const plain = { bootstraps: [], overTls: false };
const secure = { bootstraps: [], overTls: true };

Deno.test("learntAddress: what a server names over TLS is spoken to with TLS, whatever it says", () => {
  for (const text of ["http://b:4410", "b:4410", "grpc://b:4410", "btrdb://b:4410", "b"]) {
    assertEquals(learntAddress(text, secure), [{ host: "b", port: 4410, tls: true }], text);
  }
  assertEquals(learntAddress("b:4411", plain), [{ host: "b", port: 4411, tls: true }]);
  assertEquals(learntAddress("b:4410", plain), [{ host: "b", port: 4410, tls: false }]);
});

Deno.test("learntAddress: an address that the user named is spoken to as the user said", () => {
  const bootstraps = [{ host: "b", port: 4410, tls: false }];
  assertEquals(learntAddress("b:4410", { bootstraps, overTls: true }), bootstraps);
});

Deno.test("learntAddress: only allowed hosts, with subdomains where that is said", () => {
  const learning = { ...secure, allowedHosts: ["a.example.org", "*.grid.example", "10.0.0.7"] };
  const used = [
    "a.example.org:4411",
    "A.Example.Org:4411",
    "n1.grid.example:4411",
    "10.0.0.7:4411",
    "b.example.org:4411",
    "grid.example:4411",
    "evil-grid.example:4411",
    "a.example.org.evil:4411",
  ].map((text) => learntAddress(text, learning).length);
  assertEquals(used, [1, 1, 1, 1, 0, 0, 0, 0]);
});

Deno.test("learntAddress: what is no address is left out", () => {
  assertEquals(learntAddress("not an address", plain), []);
});

// A bracketed address, or a name with a dot at its end, is the same host in another spelling.
Deno.test("learntAddress: allowed hosts in other spellings, and addresses are nobody's subdomain", () => {
  const learning = { ...secure, allowedHosts: ["[::1]", "A.example.org.", "*.0.0.7", "*.example"] };
  const used = [
    "[::1]:4411",
    "a.example.org.:4411",
    "a.EXAMPLE.org:4411",
    "n1.example.:4411",
    "10.0.0.7:4411",
    "x@n1.example:4411",
    "n1.evil#.example:4411",
  ].map((text) => learntAddress(text, learning).length);
  assertEquals(used, [1, 1, 1, 1, 0, 0, 0]);
});
