/** The doctor in process, on a landscape that is healthy until a test breaks it. */
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { Alarm } from '../../infra/local/aws/management/cloudwatch.ts';
import {
  type DeployOptions,
  type DestinationPlan,
  type Landscape,
  type LandscapeOptions,
  type LocalDestination,
  startLandscape,
} from '../../infra/local/landscape.ts';
import type { Line } from '../../infra/ops/doctor/line.ts';
import { runDoctor } from '../../infra/ops/doctor/run.ts';

export const TOPIC = 'arn:aws:sns:eu-central-1:123456789012:night';
export const ALARM: Alarm = { name: 'token-relay-local-orders-dead-letters', actions: [TOPIC] };

export interface Examination extends AsyncDisposable {
  readonly landscape: Landscape;
  readonly orders: LocalDestination;
  /** Every secret, token and payload that came up. */
  readonly confidential: ReadonlySet<string>;
  run(argv?: readonly string[], how?: RunOptions): Promise<Ran>;
  /** What `--json` says. */
  lines(
    argv?: readonly string[],
    how?: RunOptions,
  ): Promise<{ readonly code: number; readonly lines: readonly Line[] }>;
}

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly now?: () => number;
  readonly readFile?: (path: string) => Promise<Buffer>;
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly notes: string;
}

export interface Plan {
  readonly landscape?: LandscapeOptions;
  readonly destination?: Partial<DestinationPlan>;
  readonly deploy?: DeployOptions;
  readonly alarms?: readonly Alarm[];
  /** From Neo to Cloud Foundry; what differs of the new side beside its secret and address. */
  readonly cutover?: { readonly since: string; readonly share?: number; readonly assignRole?: boolean };
  /** Names of further destinations. */
  readonly also?: readonly string[];
}

async function withCutover({ cutover, destination }: Plan, landscape: Landscape): Promise<Partial<DestinationPlan>> {
  if (cutover === undefined) return {};
  const { assignRole = true, ...when } = cutover;
  const { settings } = (await landscape.openEnvironment('cf')).connect({ name: 'orders', assignRole });
  return { settings: { ...destination?.settings, cutover: { ...settings, ...when } } };
}

export async function startExamination(plan: Plan = {}): Promise<Examination> {
  const confidential = new Set<string>();
  const tell = (value: string) => confidential.add(value);
  const landscape = await startLandscape({ ...plan.landscape, confidential: tell });
  if (landscape.certificateAuthority !== undefined) {
    setDefaultCACertificates([...getCACertificates('bundled'), landscape.certificateAuthority.caPem]);
  }
  const orders = landscape.connect({ name: 'orders', ...plan.destination, ...(await withCutover(plan, landscape)) });
  for (const name of plan.also ?? []) landscape.connect({ name });
  await landscape.deploy({ polling: true, ...plan.deploy });
  const { alarms, topics, url } = landscape.management;
  topics.put(TOPIC, ['confirmed']);
  for (const alarm of plan.alarms ?? [ALARM]) alarms.put(alarm);

  async function run(argv: readonly string[] = [], how: RunOptions = {}): Promise<Ran> {
    const written = { out: '', notes: '' };
    const code = await runDoctor(['--stage', 'local', ...argv], {
      environment: { AWS_ENDPOINT_URL: url, ...how.environment },
      readFile: how.readFile ?? (async () => Buffer.from('{"order":1}')),
      stdout: { write: (words) => (written.out += words) },
      stderr: { write: (words) => (written.notes += words) },
      signal: how.signal ?? new AbortController().signal,
      ...(how.now === undefined ? {} : { now: how.now }),
    });
    return { code, ...written };
  }

  return {
    landscape,
    orders,
    confidential,
    run,
    lines: async (argv = [], how = {}) => {
      const { code, out } = await run([...argv, '--json'], how);
      return { code, lines: out === '' ? [] : JSON.parse(out).findings };
    },
    [Symbol.asyncDispose]: () => landscape.stop(),
  };
}
