/** Limits of the door (docs/protocol.md, Limits). One place, so that tests can make them small. */
import { WATERMARKS } from './outbound.ts';
import type { Watermarks } from './outbound.ts';

export interface DoorLimits {
  /** Connections in all, and WebSockets that have not proven a key; the port and the Unix socket have so many each. */
  readonly connections: number;
  readonly unauthenticated: number;
  /** Milliseconds until a connection must have proven its key. */
  readonly authDeadline: number;
  /** Bytes of a frame before and after that. */
  readonly authFrame: number;
  readonly frame: number;
  /** Calls at work on one connection. */
  readonly inFlight: number;
  /** Calls each second on one connection, and how many may come at once. */
  readonly callsPerSecond: number;
  readonly callBurst: number;
  /** Milliseconds between pings, and of silence after which the peer counts as gone. */
  readonly pingEvery: number;
  readonly deadAfter: number;
  /** Bytes of one upload, and milliseconds without a byte of it. */
  readonly upload: number;
  readonly uploadStall: number;
  readonly watermarks: Watermarks;
}

export const DOOR_LIMITS: DoorLimits = {
  connections: 128,
  unauthenticated: 16,
  authDeadline: 5000,
  authFrame: 4096,
  frame: 1024 * 1024,
  inFlight: 64,
  callsPerSecond: 200,
  callBurst: 400,
  pingEvery: 15_000,
  deadAfter: 45_000,
  upload: 4 * 1024 ** 3,
  uploadStall: 30_000,
  watermarks: WATERMARKS,
};
