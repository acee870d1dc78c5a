/** Telemetry that goes nowhere, but for what a test listens to. */
import type { Telemetry } from '../../functions/telemetry/telemetry.ts';

const nothing = () => undefined;

/** @param heard what the test listens to */
export function quietTelemetry(heard: Partial<Telemetry> = {}): Telemetry {
  return {
    attempted: nothing,
    postponed: nothing,
    queued: nothing,
    notQueued: nothing,
    turnedAway: nothing,
    refused: nothing,
    deadLettered: nothing,
    problem: nothing,
    tokenRequested: nothing,
    tokenRefused: nothing,
    certificateRead: nothing,
    renewalFailed: nothing,
    middleware: {},
    ...heard,
  };
}
