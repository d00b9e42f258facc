/** `btrdb simulate pmu`: runs a simulated PMU. @module */

import { onAbort } from "../../core/call.ts";
import type { SimulatePmuOptions } from "../../ingest/c37118/mod.ts";
import type { Command } from "../command.ts";
import { usageError } from "../errors.ts";
import { parseDuration } from "../words/durations.ts";
import type { Args } from "../words/parse_args.ts";

const command: Command = {
  name: "simulate",
  args: "pmu",
  arity: [1, 1],
  summary: "Run a simulated PMU, to try ingest without hardware",
  about: [
    "It answers to C37.118 over TCP, and over UDP with --udp-port; several clients may be connected. It " +
    "measures three phases of 230 kV on the clock of this machine: every 20 s a voltage sag of 40 % for " +
    "0.3 s and an excursion of the frequency by 0.3 Hz. It runs until it is interrupted.",
  ],
  options: {
    listen: { short: "l", value: "HOST:PORT", about: "Where to listen; 127.0.0.1:4712 by default" },
    "udp-port": { value: "PORT", about: "Answer over UDP too, on this port" },
    "data-port": {
      value: "PORT",
      about: "Send data by UDP to this port of clients connected over TCP",
    },
    "send-to": { value: "HOST:PORT", about: "Send data to this address by UDP, without a request" },
    id: { value: "N", about: "Number of the PMU and its data stream; 1 by default" },
    station: { value: "NAME", about: "Name of the station; SIM and the number by default" },
    format: {
      value: "N",
      about:
        "FORMAT word, 0 to 15: 1 polar + 2 float phasors + 4 float analogs + 8 float frequency; " +
        "15 by default",
    },
    cfg: { value: "N", choices: ["2", "3"], about: "Kind of configuration sent without a request" },
    rate: { value: "N", about: "Frames per second, 1 to 1000; 60 by default" },
    phasors: { value: "N", about: "Phasors, 0 to 1000; 6 by default" },
    analogs: { value: "N", about: "Analogs, 0 to 1000; 1 by default" },
    digitals: { value: "N", about: "Words of digital inputs, 0 to 100; 1 by default" },
    nominal: { value: "HZ", choices: ["50", "60"], about: "Nominal frequency; 60 by default" },
    "time-base": { value: "N", about: "Units per second in time stamps; 1000000 by default" },
    seed: { value: "N", about: "Seed of noise and missing frames; 1 by default" },
    missing: { value: "PART", about: "Fraction of the frames to leave out, 0 to 1" },
    "change-after": {
      value: "DURATION",
      about: "Change the configuration after this time, announced a second before",
    },
  },
  examples: [
    { line: "btrdb simulate pmu --id 7 --rate 50 --nominal 50", about: "A European PMU" },
    {
      line: "btrdb simulate pmu --format 0 --missing 0.01 --change-after 30s",
      about: "Integers, one frame in a hundred missing, a change of configuration",
    },
  ],
  json:
    "{ address, port, udpPort, id }, once it listens; { ticks, frames, missing, overrun } at the end",
  async run(context, args) {
    if (args.positionals[0] !== "pmu") {
      throw usageError(`Cannot simulate ${args.positionals[0]}: expected pmu`);
    }
    const { simulatePmu } = await import("../../ingest/c37118/mod.ts");
    const options = simulateOptions(args);
    await using pmu = await simulatePmu(options);
    const { port, udpPort, address, configuration: { idcode, dataRate } } = pmu;
    if (context.json) context.printJson({ address, port, udpPort, id: idcode });
    context.talk(
      `Simulating PMU ${idcode} at ${dataRate} frames/s on c37118://${address}?id=${idcode}` +
        (udpPort === undefined
          ? ""
          : ` and c37118+udp://${address.replace(/:\d+$/, "")}:${udpPort}`) +
        "; interrupt to stop",
    );
    if (!context.signal.aborted) {
      await new Promise<void>((resolve) => onAbort(context.signal, resolve));
    }
    await pmu.close();
    const { counts } = pmu;
    if (context.json) context.printJson(counts);
    context.talk(`Stopped: ${counts.frames} frames made, ${counts.missing} left out`);
  },
};

function hostPort(text: string, name: string): { hostname: string; port: number } {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:\s]+)):(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw usageError(`Cannot use --${name} ${text}: expected HOST:PORT`);
  }
  return { hostname: (match[1] ?? match[2])!, port };
}

function simulateOptions(args: Args): SimulatePmuOptions {
  const { hostname, port } = hostPort(args.text("listen") ?? "127.0.0.1:4712", "listen");
  const sendTo = args.text("send-to");
  const rate = args.integer("rate", 1, 1000) ?? 60;
  const missing = Number(args.text("missing") ?? 0);
  if (!(missing >= 0 && missing <= 1)) {
    throw usageError(`Cannot use --missing ${args.text("missing")}: expected 0 to 1`);
  }
  const change = args.text("change-after");
  const changeAfter = change === undefined
    ? undefined
    : Math.ceil(Number(parseDuration(change, "--change-after")) / 1e9 * rate);
  return {
    hostname,
    port,
    udpPort: args.integer("udp-port", 0, 65_535),
    dataPort: args.integer("data-port", 1, 65_535),
    ...(sendTo === undefined ? {} : { sendTo: hostPort(sendTo, "send-to") }),
    id: args.integer("id", 1, 65_534),
    station: args.text("station"),
    format: args.integer("format", 0, 15),
    kind: args.integer("cfg", 2, 3) as 2 | 3 | undefined,
    rate,
    phasors: args.integer("phasors", 0, 1000),
    analogs: args.integer("analogs", 0, 1000),
    digitals: args.integer("digitals", 0, 100),
    nominalFrequency: args.integer("nominal", 50, 60) as 50 | 60 | undefined,
    timeBase: args.integer("time-base", 1, 0xff_ffff),
    seed: args.integer("seed", 0, 2 ** 31),
    missing,
    changeAfter,
    changeNotice: rate,
  };
}

export default command;
