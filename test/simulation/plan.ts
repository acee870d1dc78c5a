/**
 * What a run is made of, as data that can be written out, shortened and run again: the tenant, the destinations with
 * their queues and flows, who sends what and when, and what goes wrong. Where a plan comes from is `draw.ts`.
 */

export interface DestinationPlan {
  readonly name: string;
  readonly fifo: boolean;
  readonly webhook: 'direct' | 'queued' | 'direct-else-queued' | undefined;
  /** Which of the clients, and with it which secret. */
  readonly client: string;
  readonly tokenFormat: 'jwt' | 'opaque';
  readonly maxTokenUseSeconds: number;
  readonly csrf: boolean;
  readonly timeoutSeconds: number;
  readonly concurrency: number;
  readonly retryForHours: number;
  readonly batchSize: number;
  readonly maximumConcurrency: number;
  readonly deadLetterQueue: boolean;
  readonly flow: { readonly csrfProtected: boolean; readonly runtime: 6 | 8; readonly returnMplId: boolean };
  readonly cutover?: CutoverPlan;
}

/**
 * To another client, at another host, and a flow of its own there (`newSideOf`). It changes once at most, and as the
 * documents say: when nothing is in the queue, among the dead letters or at work, so that no outcome is unknown.
 */
export interface CutoverPlan {
  readonly sinceMs: number;
  readonly share: number;
  readonly client: string;
  readonly csrf: boolean;
  readonly change?: {
    /** The earliest. */
    readonly atMs: number;
    /** `undefined`: the cut-over is taken out. */
    readonly to: { readonly sinceMs: number; readonly share: number } | undefined;
  };
}

const NEW = '-new';

/** How the flow of the new side is called, and its faults. */
export function newSideOf(name: string): string {
  return `${name}${NEW}`;
}

/** @param name of a destination, or of its new side */
export function destinationIn(name: string): string {
  return isNewSide(name) ? name.slice(0, -NEW.length) : name;
}

export function isNewSide(name: string): boolean {
  return name.endsWith(NEW);
}

export type Form =
  /** A body and nothing else. */
  | 'plain'
  | 'with id'
  | 'base64'
  | 'empty'
  /** Its attributes cannot be read. */
  | 'unreadable'
  /** With a header that goes along and that no HTTP request can carry. */
  | 'unsendable header'
  /** With such headers that do not go along. */
  | 'unlisted header'
  | 'in S3'
  /** Points to an object that is not there. */
  | 'missing in S3';

export interface Arrival {
  readonly number: number;
  readonly atMs: number;
  readonly destination: string;
  readonly via: 'queue' | 'webhook';
  readonly group?: string;
  readonly form: Form;
  /** What the flow makes of it in the end. */
  readonly verdict: number;
  /** How often the flow fails on it first. */
  readonly exceptions: number;
  /** Of a webhook: another message that was sent, or is to be, under the same id. */
  readonly namesake?: number;
  /** Of a webhook: its sender sends the same bytes once more after they were taken, in so many milliseconds. */
  readonly againMs?: number;
  /** Of a webhook: `ce-source`. */
  readonly source?: string;
}

export interface Plan {
  readonly seed: number;
  readonly environment: 'cf' | 'neo';
  readonly tokenLifetimeSeconds: number;
  readonly expiredTokenStatus: 401 | 500;
  readonly workers: number;
  readonly keepAliveMs: number;
  /** After so long without an invocation an environment is gone. */
  readonly idleMs: number;
  readonly shuffle: boolean;
  /** Of the queue function. Absent: as it is deployed, by the destinations' `timeoutSeconds`. */
  readonly queueTimeoutSeconds?: number;
  readonly destinations: readonly DestinationPlan[];
  readonly arrivals: readonly Arrival[];
  readonly faults: readonly FaultPlan[];
}

/** What goes wrong: which kind, from when to when, how often, at which destination. */
export interface FaultPlan {
  /** A key of `FAULTS`. */
  readonly kind: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** How many of the calls it hits, 0 to 1, where it hits calls. */
  readonly share: number;
  /** With randomness of its own, so that leaving out another fault does not change it. */
  readonly seed: number;
  readonly destination: string;
}
