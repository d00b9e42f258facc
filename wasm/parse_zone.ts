// Zones of times as text: `Z`, names, and distances from UTC.

import { HOUR_NS, MINUTE_NS } from "./calendar";
import { digitAt, fixedDigits } from "./time_digits";

/** Offset of local time from UTC where a text does not say, ns. */
let offset: i64 = 0;
/** Names of zones: length, letters in upper case, ns ahead of UTC (i64); a length of 0 ends them. */
let zoneNames: usize = 0;

/** The zone of the text under way, ns ahead of UTC. */
export let zone: i64 = 0;
/** True if the text named its zone. */
export let zoneSaid: bool = false;

/** Sets what local time is ahead of UTC where a text does not say, ns. */
export function setTimeOffset(ns: i64): void {
  offset = ns;
}

/** Sets the names of zones. */
export function setZoneNames(names: usize): void {
  zoneNames = names;
}

/** Sets the zone of a text that has not named one. */
// @ts-ignore: decorator
@inline
export function beginZone(): void {
  zone = offset;
  zoneSaid = false;
}

/**
 * Reads `Z`, a name, `±hh`, `±hhmm` or `±hh:mm`; the address behind it, `p` itself if there is none,
 * or 0.
 */
export function zoneAt(p: usize): usize {
  const c = load<u8>(p);
  zone = offset;
  const letter = <u32>(c | 32) - 97;
  if (letter < 26) {
    const named = zoneNameAt(p);
    if (named != 0) zoneSaid = true;
    return named != 0 ? named : p;
  }
  if (c != 43 && c != 45) return p;
  const hours = fixedDigits(p + 1, 2);
  if (hours < 0 || hours > 23) return 0;
  p += 3;
  let minutes = 0;
  const colon = load<u8>(p) == 58;
  if (colon || digitAt(p) < 10) {
    minutes = fixedDigits(p + <usize>colon, 2);
    if (minutes < 0 || minutes > 59) return 0;
    p += 2 + <usize>colon;
  }
  const ns = <i64>hours * HOUR_NS + <i64>minutes * MINUTE_NS;
  zoneSaid = true;
  zone = c == 45 ? -ns : ns;
  return p;
}

/** The name of a zone at `p`: the ns in `zone`; 0 if it is not known. */
function zoneNameAt(p: usize): usize {
  let n: usize = 0;
  while (n < 8 && <u32>(load<u8>(p + n) | 32) - 97 < 26) n++;
  const c = load<u8>(p);
  zone = 0;
  if (n == 1 && (c | 32) == 122) return p + 1;
  let entry = zoneNames;
  if (entry == 0) return 0;
  while (load<u8>(entry) != 0) {
    const length = <usize>load<u8>(entry);
    let same = length == n;
    for (let i: usize = 0; same && i < n; i++) {
      same = (load<u8>(p + i) & 0xdf) == load<u8>(entry + 1 + i);
    }
    if (same) {
      zone = load<i64>(entry + 1 + n);
      return p + n;
    }
    entry += length + 9;
  }
  return 0;
}
