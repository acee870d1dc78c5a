/** What the stack is made of, as types: the service, its destinations, and the queue that each has. */
import type { Settings } from '../../../functions/settings/settings.ts';
import type { OwnMetrics } from './alarm.ts';
import type { Throttling, WebhookDomain } from './gateway.ts';
import type { Alarms, Maintenance } from './notification.ts';
import type { Platform } from './platform.ts';

export interface ServiceInput {
  readonly service: string;
  readonly stage: string;
  readonly region: string;
  /** `custom` of serverless.yml, every variable in it resolved. */
  readonly custom: unknown;
  /** `provider` of serverless.yml, every variable in it resolved. Absent: not checked. */
  readonly provider?: unknown;
  /** Fields of serverless.yml beside these which would be passed over. Absent: not checked. */
  readonly beside?: Readonly<Record<string, unknown>>;
}

export type Queue =
  | { readonly created: true; readonly name: string; readonly deadLetterName: string }
  /** Undefined for a bare name: which queue that is, nobody can tell. */
  | { readonly created: false; readonly arn: string | undefined };

/** One destination's settings, every default filled in. */
export type DestinationSettings = Extract<
  Settings['destinations'] extends ReadonlyMap<string, infer Entry> ? Entry : never,
  { readonly secret: string }
>;

export interface Destination {
  readonly settings: DestinationSettings;
  /** The entry as the operator wrote it, without defaults; of a created queue with its name as `queue`. */
  readonly written: Readonly<Record<string, unknown>>;
  readonly queue: Queue;
}

export interface Configuration {
  /** `<service>-<stage>`, which names of the stack begin with. */
  readonly name: string;
  readonly region: string;
  /** `custom.kmsKeyArns`. Default none. */
  readonly kmsKeyArns: readonly string[];
  /** `custom.webhookThrottling`. */
  readonly throttling: Throttling;
  /** `custom.webhookDomain`. Default: the endpoint that AWS names. */
  readonly domain?: WebhookDomain;
  /** `custom.alarms`. Default: nobody is told of anything. */
  readonly alarms?: Alarms;
  /** By `provider.environment`. */
  readonly metrics: OwnMetrics;
  /** `custom.maintenance`. Default none. */
  readonly maintenance: readonly Maintenance[];
  /** `custom.tracing`: the functions send traces to X-Ray. Default false. */
  readonly tracing: boolean;
  readonly platform: Platform;
  /** In the order of serverless.yml; at least one. */
  readonly destinations: readonly Destination[];
}
