/** What is watched of the service as a whole: its functions, its gateway, and the certificates that it uses. */
import {
  type Alarm,
  above,
  atLeast,
  atMost,
  type Metric,
  MINUTE_SECONDS,
  type OwnMetrics,
  ownMetric,
} from './alarm.ts';
import { logicalName } from './queue.ts';
import { ref, type Value } from './template.ts';

const HOUR_SECONDS = 3_600;
/**
 * Lambda dates what it counts at the start of an invocation, which may last for 15 minutes: a shorter look back would
 * miss what has just ended.
 */
const ONE_IN_18_MINUTES = { periodSeconds: MINUTE_SECONDS, datapoints: [1, 18] } as const;
/** An environment lives for hours, and tells at its start what its secrets hold. */
const ONE_IN_A_DAY = { periodSeconds: HOUR_SECONDS, datapoints: [1, 24] } as const;
const DAYS_LEFT = { ticket: 30, soon: 7 } as const;
const RENEW =
  'Store a new service key in the secret that the log line certificate.ends names; the alarm ends up to 24 hours after that.';
/** The functions stop work two seconds before their time ends; one that gets nearer than one second hangs. */
const RESERVE_SECONDS = 1;
const MOST_5XX_SHARE = 0.05;

export interface DeployedFunction {
  readonly name: 'queue' | 'webhook';
  readonly logicalId: string;
  readonly timeoutSeconds: number;
}

/** @param service `<service>-<stage>`, with which all names begin */
export function serviceAlarms(service: string, metrics: OwnMetrics, functions: readonly DeployedFunction[]): Alarm[] {
  const named = (kind: string, of = '') => ({
    kind,
    name: `${service}-${of === '' ? '' : `${of}-`}${kind}`,
    logicalId: `Alarm${logicalName(of)}${logicalName(kind)}`,
  });
  return [
    ...functions.flatMap(({ name, logicalId, timeoutSeconds }): Alarm[] => [
      {
        ...named('function-errors', name),
        severity: 'page',
        means: `The function ${name} ended with an error, which it does only if it is killed or its event is none.`,
        toDo: 'Look for REPORT lines with Status: timeout or error in its log; the messages come back by themselves.',
        watches: ofFunction(ref(logicalId), 'Errors', 'Sum'),
        breachesAt: above(0),
        ...ONE_IN_18_MINUTES,
      },
      {
        ...named('function-near-timeout', name),
        severity: 'page',
        means: `The function ${name} ran to within a second of its timeout, although it stops two seconds before.`,
        toDo: 'Look what it did last in its log, and whether memorySize is too small for the payloads.',
        watches: ofFunction(ref(logicalId), 'Duration', 'Maximum'),
        breachesAt: atLeast((timeoutSeconds - RESERVE_SECONDS) * 1_000),
        ...ONE_IN_18_MINUTES,
      },
      {
        ...named('throttled', name),
        severity: 'ticket',
        means: `Lambda refuses to run the function ${name} as often as it is asked to.`,
        toDo: 'Look at the concurrency of the account, and at what else uses it.',
        watches: ofFunction(ref(logicalId), 'Throttles', 'Sum'),
        breachesAt: atLeast(1),
        periodSeconds: MINUTE_SECONDS,
        datapoints: [5, 5],
      },
    ]),
    ...(functions.some(({ name }) => name === 'webhook') ? [gatewayAlarm(named('webhook-5xx'))] : []),
    {
      ...named('credential-ends'),
      severity: 'ticket',
      means: `A client certificate ends within ${DAYS_LEFT.ticket} days, or did so in the last 24 hours.`,
      toDo: RENEW,
      ...daysLeft(metrics, DAYS_LEFT.ticket),
    },
    {
      ...named('credential-ends-soon'),
      // Told by itself: red for a week and a day, it would keep needs-a-person red, which tells nobody of anything else then.
      severity: 'ticket',
      means: `A client certificate ends within ${DAYS_LEFT.soon} days, or did so in the last 24 hours; once it has ended nothing is delivered with it.`,
      toDo: RENEW,
      ...daysLeft(metrics, DAYS_LEFT.soon),
    },
  ];
}

function daysLeft(
  metrics: OwnMetrics,
  days: number,
): Pick<Alarm, 'watches' | 'breachesAt' | 'periodSeconds' | 'datapoints'> {
  return {
    watches: ownMetric(metrics, 'CredentialDaysLeft', 'Minimum'),
    breachesAt: atMost(days),
    ...ONE_IN_A_DAY,
  };
}

function gatewayAlarm(named: Pick<Alarm, 'kind' | 'name' | 'logicalId'>): Alarm {
  const ofApi = (name: string): Metric => ({
    namespace: 'AWS/ApiGateway',
    name,
    dimensions: { ApiId: ref('HttpApi') },
    statistic: 'Sum',
  });
  return {
    ...named,
    severity: 'page',
    means: 'More than one in twenty requests to the webhooks are answered with 5xx.',
    toDo: 'Look at the errors of the function webhook and in the gateway’s access log; a flow that fails behind mode direct is one, too.',
    watches: {
      expression: 'IF(FILL(requests, 0) > 0, FILL(errors, 0) / requests, 0)',
      metrics: { errors: ofApi('5xx'), requests: ofApi('Count') },
    },
    breachesAt: above(MOST_5XX_SHARE),
    periodSeconds: MINUTE_SECONDS,
    datapoints: [3, 3],
  };
}

function ofFunction(functionName: Value, name: string, statistic: Metric['statistic']): Metric {
  return { namespace: 'AWS/Lambda', name, dimensions: { FunctionName: functionName }, statistic };
}
