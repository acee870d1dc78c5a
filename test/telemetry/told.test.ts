/** What telemetry writes of what it is told: lines, and metrics in CloudWatch's embedded format. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type AttemptLine, createTelemetry, type Telemetry } from '../../functions/telemetry/telemetry.ts';

const LINE = {
  destination: 'orders',
  messageId: '4711',
  attempt: 1,
  executed: 'no',
  durationMs: 12,
  calls: 1,
  bytes: 16,
};
const attempt = (line: Partial<AttemptLine>): AttemptLine =>
  ({ ...LINE, outcome: 'delivered', ...line }) as AttemptLine;

let written: string[];
beforeEach(() => {
  written = [];
  const note = (text: unknown) => written.push(String(text)) > 0;
  vi.spyOn(process.stdout, 'write').mockImplementation(note);
  vi.spyOn(process.stderr, 'write').mockImplementation(note);
});
afterEach(() => {
  vi.restoreAllMocks();
});

type Line = Readonly<Record<string, unknown>>;
const isMetrics = (line: Line) => '_aws' in line;

/** Tells it in one invocation. */
function lines(tell: (telemetry: Telemetry) => void, telemetry = createTelemetry()): readonly Line[] {
  written = [];
  tell(telemetry);
  telemetry.middleware.after?.({} as never);
  return written.flatMap((text) => text.trim().split('\n')).map((line) => JSON.parse(line));
}

/** Metric → value, by destination. */
function metricsOf(tell: (telemetry: Telemetry) => void, telemetry?: Telemetry): Record<string, object> {
  const told: Record<string, object> = {};
  for (const line of lines(tell, telemetry).filter(isMetrics)) {
    const { _aws, service: _, destination = 'service', ...values } = line;
    told[String(destination)] = { ...told[String(destination)], ...values };
  }
  return told;
}

describe('The oldest that is not delivered', () => {
  test('is counted for each destination, by how long it has been tried', () => {
    const told = metricsOf((telemetry) => {
      telemetry.attempted(attempt({ outcome: 'failed', triedForSeconds: 7 }));
      telemetry.attempted(attempt({ outcome: 'blocked', triedForSeconds: 900, ageSeconds: 5_000 }));
      telemetry.attempted(attempt({ outcome: 'failed', triedForSeconds: 60 }));
      telemetry.attempted(attempt({ outcome: 'failed', triedForSeconds: 0, destination: 'invoices' }));
    });
    expect(told).toMatchObject({ orders: { OldestUndelivered: 900 }, invoices: { OldestUndelivered: 0 } });
  });

  test.each<[string, Partial<AttemptLine>, object]>([
    ['all was delivered', {}, { Delivered: 1, Duration: 12 }],
    ['nothing was tried again', { outcome: 'failed', ageSeconds: 5_000 }, { Failed: 1, Duration: 12 }],
  ])('is no metric where %s', (_, line, metrics) => {
    const telemetry = createTelemetry();
    metricsOf((it) => it.attempted(attempt({ outcome: 'failed', triedForSeconds: 7 })), telemetry);
    expect(metricsOf((it) => it.attempted(attempt(line)), telemetry)).toEqual({ orders: metrics });
  });

  test('has both its ages in the line of its attempt', () => {
    const ages = { ageSeconds: 7, triedForSeconds: 5 };
    const [line] = lines((telemetry) => telemetry.attempted(attempt({ outcome: 'failed', ...ages })));
    expect(line).toMatchObject({ message: 'delivery.attempted', outcome: 'failed', ...ages });
  });
});

test('refused tokens are counted for each destination', () => {
  const told = metricsOf((telemetry) => {
    for (const destination of ['orders', 'invoices', 'orders']) telemetry.tokenRefused(destination);
  });
  expect(told).toEqual({ orders: { TokensRefused: 2 }, invoices: { TokensRefused: 1 } });
});

test('metrics of a cut-over name the side, in a field beside the dimensions that the destination has', () => {
  const published = lines((telemetry) => {
    telemetry.attempted(attempt({ side: 'old' }));
    telemetry.attempted(attempt({ side: 'new' }));
    telemetry.attempted(attempt({ side: 'new' }));
    telemetry.postponed({ destination: 'orders', side: 'old', messages: 3, reason: 'x' });
    telemetry.deadLettered({ destination: 'orders', side: 'old', messageId: 'm', outcome: 'failed' });
    telemetry.tokenRefused('orders', 'new');
    telemetry.attempted(attempt({}));
  }).filter(isMetrics);
  const dimensions = (line: object) => (line as { _aws: { CloudWatchMetrics: [{ Dimensions: unknown }] } })._aws;
  for (const line of published)
    expect(dimensions(line).CloudWatchMetrics[0].Dimensions).toEqual([['service', 'destination']]);
  expect(published.map(({ _aws: _, service: __, Duration: ___, ...line }) => line)).toEqual([
    { destination: 'orders', side: 'old', Delivered: 1 },
    { destination: 'orders', side: 'new', Delivered: 2 },
    { destination: 'orders', Delivered: 1 },
    { destination: 'orders', side: 'old', Postponed: 3 },
    { destination: 'orders', side: 'old', DeadLettered: 1 },
    { destination: 'orders', side: 'new', TokensRefused: 1 },
  ]);
});

describe('The days that a certificate has left', () => {
  test('the days that a certificate has left are those of the one that ends first, and of no destination', () => {
    const told = metricsOf((telemetry) => {
      for (const daysLeft of [200, -3, 40]) telemetry.certificateRead({ secret: 'cpi/orders', daysLeft });
    });
    expect(told).toEqual({ service: { CredentialDaysLeft: -3 } });
  });

  test.each([
    [31, 0],
    [30, 1],
  ])('the days that a certificate has left at %i are told in %i lines with the secret', (daysLeft, count) => {
    const told = lines((telemetry) => telemetry.certificateRead({ secret: 'cpi/orders', daysLeft }));
    const line = { level: 'WARN', message: 'certificate.ends', secret: 'cpi/orders', daysLeft };
    expect(told.filter((one) => !isMetrics(one))).toEqual(Array(count).fill(expect.objectContaining(line)));
  });

  test('the days that a certificate has left are no metric where none was read, in later invocations too', () => {
    const telemetry = createTelemetry();
    metricsOf((it) => it.certificateRead({ secret: 'cpi/orders', daysLeft: 40 }), telemetry);
    expect(metricsOf((it) => it.tokenRequested(), telemetry)).toEqual({ service: { TokenRequests: 1 } });
  });
});
