import { assertEquals, assertThrows } from "@std/assert";
import {
  addressText,
  grpcTarget,
  parseAddress,
  parseWebAddress,
} from "../../../src/grpc/transport/address.ts";

Deno.test("parseAddress: host and port, with the usual ports left out", () => {
  assertEquals(parseAddress("db.example:4410"), { host: "db.example", port: 4410, tls: false });
  assertEquals(parseAddress("db.example"), { host: "db.example", port: 4410, tls: false });
  assertEquals(parseAddress("btrdb+tls://db"), { host: "db", port: 4411, tls: true });
});

Deno.test("parseAddress: TLS: option before scheme before port", () => {
  assertEquals(parseAddress("db:4411").tls, true);
  assertEquals(parseAddress("db:5000").tls, false);
  assertEquals(parseAddress("btrdb+tls://db:5000").tls, true);
  assertEquals(parseAddress("grpc://db:4411").tls, false);
  assertEquals(parseAddress("btrdb://db:4411").tls, true);
  assertEquals(parseAddress("db:4411", false).tls, false);
  assertEquals(parseAddress("grpc://db:4410", true).tls, true);
});

Deno.test("parseAddress: IPv6 goes in brackets", () => {
  const address = parseAddress("[::1]:4410");
  assertEquals(address, { host: "::1", port: 4410, tls: false });
  assertEquals(addressText(address), "[::1]:4410");
  assertEquals(grpcTarget(address), "ipv6:[::1]:4410");
});

Deno.test("grpcTarget: literal addresses skip the resolver", () => {
  assertEquals(grpcTarget(parseAddress("10.0.0.1:1")), "ipv4:10.0.0.1:1");
  assertEquals(grpcTarget(parseAddress("localhost:1")), "dns:localhost:1");
});

Deno.test("parseAddress: what is no address is refused with the text in the message", () => {
  for (const text of ["", "a b", "::1", "db:0", "db:65536", "db:x", "ftp://db", "db:1/x", "a,b"]) {
    const error = assertThrows(() => parseAddress(text), TypeError);
    assertEquals(error.message.includes(JSON.stringify(text)), true, error.message);
  }
});

// `key@host` was a name to resolve, and the error of that named the key.
Deno.test("parseAddress: nothing before an @, or behind a ?, is taken for a name or repeated", () => {
  const refused: [string, (text: string) => unknown][] = [
    ["SECRET@db:4410", parseAddress],
    ["btrdb://SECRET@db:4410", parseAddress],
    ["btrdb+tls://user:SECRET@db:4411", parseAddress],
    ["db?key=SECRET:4410", parseAddress],
    ["db#SECRET:1", parseAddress],
    ["db\\SECRET@x:1", parseAddress],
    ["grpc-web://u:SECRET@db:1", parseWebAddress],
    ["grpc-web://db:1/?key=SECRET", parseWebAddress],
  ];
  for (const [text, parse] of refused) {
    const error = assertThrows(() => parse(text), TypeError, "Cannot use endpoint");
    assertEquals(error.message.includes("SECRET"), false, error.message);
  }
  assertEquals(parseAddress("bücher_1.example:4410").host, "bücher_1.example");
});
