/** Counts messages that the gRPC clients of this process receive. */

import { CallRecorder } from "../../../src/grpc/transport/telemetry.ts";

let count = 0;
const waiting = new Set<() => void>();

const { received } = CallRecorder.prototype;
CallRecorder.prototype.received = function (bytes: number): void {
  count++;
  received.call(this, bytes);
  for (const look of waiting) look();
};

/** Number of messages received so far. */
export function clientMessages(): number {
  return count;
}

/** Waits until so many messages have been received altogether, or until the signal is aborted. */
export function untilClientMessages(total: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (count < total && !signal.aborted) return;
      waiting.delete(look);
      signal.removeEventListener("abort", look);
      resolve();
    };
    waiting.add(look);
    signal.addEventListener("abort", look);
    look();
  });
}
