/**
 * Servers that stop gracefully. Their GOAWAY used to end client processes under Deno, without an
 * exception and without a `finally`: a failed assertion or a fault in native code.
 *
 * `GOAWAY_STOPS=300` makes that many stops. The same on Node: tests/interop/consumer_test.ts.
 */

import { PROGRAM, surviveStops } from "../support/grpc/survive_stops.ts";

const STOPS = Number(Deno.env.get("GOAWAY_STOPS") ?? 40);

Deno.test("GOAWAY: clients outlive every graceful stop of their server, and no call is lost", () =>
  surviveStops({ program: Deno.execPath(), args: ["run", "-A", "--quiet", PROGRAM] }, STOPS));
