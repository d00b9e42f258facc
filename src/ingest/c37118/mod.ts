/**
 * C37.118.2-2011, the protocol of synchrophasors: decoder, encoder, live connections, captures, and a
 * simulated PMU. Nothing here needs a database.
 *
 * ```ts
 * import { connectPmu, simulatePmu } from "@btrdb/btrdb/c37118";
 * import { assertEquals } from "@std/assert";
 *
 * await using simulated = await simulatePmu({ id: 7, rate: 50, phasors: 3 });
 * await using pmu = await connectPmu(simulated.address, { id: 7 });
 * for await (const { time, stations } of pmu) {
 *   assertEquals(time % 20_000_000n, 0n); // on the grid of 50 frames a second
 *   assertEquals(stations[0]!.phasors.length, 6); // magnitude and angle of each
 *   break;
 * }
 * ```
 *
 * @module
 */

export {
  type AnalogChannel,
  type Configuration,
  type DigitalWord,
  formatOf,
  type PhasorChannel,
  type StationConfiguration,
  type StationDetails,
} from "./configuration.ts";
export { crcCcitt } from "./crc.ts";
export {
  type FrequencyForm,
  type StationData,
  type StationStatus,
  stationStatusOf,
} from "./data_frame.ts";
export { DataLayout, type StationLayout } from "./data_layout.ts";
export {
  encodeCommand,
  encodeConfiguration,
  encodeData,
  encodeHeader,
  encodeValues,
  type FrameStamp,
  type PmuCommand,
} from "./encode_frame.ts";
export {
  type CommandFrame,
  type ConfigurationFrame,
  type DataFrame,
  type DecodeCounts,
  decodeFrames,
  type DecodeOptions,
  type Frame,
  type FrameBase,
  FrameDecoder,
  type HeaderFrame,
  type RawDataFrame,
} from "./frame_decoder.ts";
export {
  type FrameHeader,
  type FrameType,
  readFrameHeader,
  type TimeQuality,
  timeQualityOf,
} from "./frame_header.ts";
export { exactTime, gridTime } from "./frame_time.ts";
export {
  simulatedConfiguration,
  type SimulatedConfigurationOptions,
  simulatedValues,
} from "./simulated_signal.ts";
export type { CaptureOptions } from "./capture_reader.ts";
export { type CaptureInput, CaptureSource } from "./capture_source.ts";
export { openCapture } from "./open_capture.ts";
export { type CaptureKind, captureKindOf } from "./packet_file.ts";
export type { ChannelNames } from "./channel_columns.ts";
export { connectPmu, type ConnectPmuOptions, PmuConnection } from "./connect_pmu.ts";
export { parsePmuTarget, type PmuTarget } from "./pmu_target.ts";
export {
  type SimulatedCounts,
  SimulatedPmu,
  simulatePmu,
  type SimulatePmuOptions,
} from "./simulated_pmu.ts";
export { type IngestReport, LiveIngest, type LiveIngestOptions } from "./live_ingest.ts";
export type { LinkCounts, SourceReport } from "./link_statistics.ts";
export type { OmittedColumn, Position, Source, SourceBatch, SourceColumn } from "../source.ts";
