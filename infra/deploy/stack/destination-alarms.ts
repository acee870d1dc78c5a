/** What is watched of each destination: its queues, and what the relay counts of it. */
import { isOfOneTenant, type Destination as Side, sidesOf } from '../../../functions/settings/destination.ts';
import {
  type Alarm,
  above,
  atLeast,
  type Metric,
  MINUTE_SECONDS,
  ONE_IN_35_MINUTES,
  type OwnMetrics,
  ownMetric,
} from './alarm.ts';
import type { Destination } from './destination.ts';
import type { Alarms } from './notification.ts';
import { eventSourceMappingId, logicalName, queueOfArn, queueOfUrl } from './queue.ts';
import { ref } from './template.ts';

const DAY_SECONDS = 86_400;
/** Of the 14 days that SQS keeps a letter: four are left to do something about it. */
const LETTERS_EXPIRE_SECONDS = 10 * DAY_SECONDS;
/** Messages wait for seconds where functions are free: a quarter of an hour is no waiting. */
const NOT_PICKED_UP_SECONDS = 900;
/** Four fifths of what SQS hands out at once, of standard and FIFO queues. */
const MOST_IN_FLIGHT = 96_000;
/** Fewer attempts say nothing of an endpoint. */
const ATTEMPTS_THAT_TELL = 10;
const MOST_FAILING_SHARE = 0.5;
/** Of so many, one that is rejected is no trend. */
const VERDICTS_THAT_TELL = 20;
const MOST_REJECTED_SHARE = 0.05;
const REJECTED_SECONDS = 900;
/** In place of a host that nobody told. */
const SAP = 'SAP';
/** Beside the longest run of a function: for the next poll, and for counts that come late. */
const UNPOLLED_MINUTES = 2;

export interface DestinationAlarmsOptions {
  /** `<service>-<stage>`, with which all names begin. */
  readonly service: string;
  readonly metrics: OwnMetrics;
  readonly alarms: Pick<Alarms, 'notDeliveredAfterSeconds'>;
  /** Of the queue function. */
  readonly functionTimeoutSeconds: number;
}

export function destinationAlarms(destination: Destination, options: DestinationAlarmsOptions): Alarm[] {
  const { service, metrics, alarms, functionTimeoutSeconds } = options;
  const { settings, queue } = destination;
  const { name, fifo, enabled, webhook } = settings;
  const host = hostOf(settings);
  const queueName = queue.created ? queue.name : queueOfArn(queue.arn ?? '').name;
  const deadLetterName = queue.created ? queue.deadLetterName : queueOfUrl(settings.deadLetterQueueUrl ?? '')?.name;
  const own = (metric: string, statistic: Metric['statistic']) => ownMetric(metrics, metric, statistic, name);
  const named = (kind: string) => ({
    kind,
    name: `${service}-${name}-${kind}`,
    logicalId: `AlarmOf${logicalName(name)}${logicalName(kind)}`,
  });
  const atSap = { severity: 'page', ...(host === undefined ? {} : { host }) } as const;
  // So long all functions of a slow flow may be busy, and none is invoked anew.
  const unpolledMinutes = Math.ceil(functionTimeoutSeconds / 60) + UNPOLLED_MINUTES;

  return [
    ...(deadLetterName === undefined
      ? []
      : [
          {
            ...named('dead-letters'),
            // Of an order that must hold, what comes after it has gone on without it.
            severity: fifo ? 'page' : 'ticket',
            means: `Messages of ${name} were given up and lie in its dead-letter queue.`,
            toDo: 'List them with npm run replay, which says of each why, and put them back or bury them.',
            watches: ofQueue(deadLetterName, 'ApproximateNumberOfMessagesVisible'),
            breachesAt: atLeast(1),
            periodSeconds: MINUTE_SECONDS,
            datapoints: [1, 1],
          } as const,
          {
            ...named('letters-expire'),
            severity: 'ticket',
            means: `A dead letter of ${name} is ten days old, and SQS drops it when it is fourteen.`,
            toDo: 'Put it back with npm run replay -- --older-than 9d --send, or keep it in a file with --export.',
            watches: ofQueue(deadLetterName, 'ApproximateAgeOfOldestMessage'),
            breachesAt: atLeast(LETTERS_EXPIRE_SECONDS),
            periodSeconds: 3_600,
            datapoints: [1, 1],
          } as const,
        ]),
    ...(enabled
      ? [
          {
            ...named('not-picked-up'),
            ...atSap,
            means: `Messages of ${name} have been waiting in their queue for a quarter of an hour.`,
            toDo: 'If not-delivered or blocked tells as well, the fault is there; else look whether the function is invoked.',
            watches: ofQueue(queueName, 'ApproximateAgeOfOldestMessage'),
            breachesAt: atLeast(NOT_PICKED_UP_SECONDS),
            periodSeconds: MINUTE_SECONDS,
            datapoints: [3, 3],
          } as const,
        ]
      : []),
    {
      ...named('not-delivered'),
      ...atSap,
      // With few messages it is the only one: `failing` takes ten attempts in a minute.
      saysHostIsDown: 'late',
      means: `SAP has not taken a message of ${name} for ${alarms.notDeliveredAfterSeconds} seconds, in several attempts.`,
      toDo: 'Run the saved query not-delivered, whose reason says who must act; nothing is lost meanwhile.',
      watches: own('OldestUndelivered', 'Maximum'),
      breachesAt: atLeast(alarms.notDeliveredAfterSeconds),
      ...ONE_IN_35_MINUTES,
    },
    {
      ...named('blocked'),
      ...atSap,
      saysHostIsDown: 'soon',
      means: `Messages of ${name} are blocked until an operator acts: role, address, credentials or settings are wrong.`,
      toDo: 'Run the saved query not-delivered, and do what its reason says.',
      watches: own('Blocked', 'Sum'),
      breachesAt: atLeast(1),
      ...ONE_IN_35_MINUTES,
    },
    {
      ...named('token-refused'),
      ...atSap,
      saysHostIsDown: 'soon',
      means: `The authorization server refuses the credentials of ${name}; a token that is still good may hide it for a while.`,
      toDo: 'Compare the secret with the service key in the SAP BTP cockpit, and store the key that is valid.',
      watches: own('TokensRefused', 'Sum'),
      breachesAt: atLeast(1),
      ...ONE_IN_35_MINUTES,
    },
    {
      ...named('failing'),
      ...atSap,
      saysHostIsDown: 'soon',
      means: `For minutes, more than half of the attempts to deliver to ${name} have failed.`,
      toDo: 'Look at the status and reason in the saved query not-delivered, then at the flow in SAP’s monitor.',
      watches: {
        expression: shareOf('failed', 'delivered', ATTEMPTS_THAT_TELL),
        metrics: { failed: own('Failed', 'Sum'), delivered: own('Delivered', 'Sum') },
      },
      breachesAt: above(MOST_FAILING_SHARE),
      periodSeconds: MINUTE_SECONDS,
      // Three: a node that starts anew within two minutes wakes nobody. The breaker makes attempts few later on.
      datapoints: [3, 35],
    },
    {
      ...named('rejected'),
      severity: 'ticket',
      means: `The flow of ${name} rejected messages for good.`,
      toDo: 'Tell the sender’s team what the reason says; the messages lie in the dead-letter queue.',
      watches: own('Rejected', 'Sum'),
      breachesAt: atLeast(1),
      ...ONE_IN_35_MINUTES,
    },
    {
      ...named('rejected-often'),
      severity: 'page',
      means: `The flow of ${name} rejects more than one in twenty messages.`,
      toDo: 'Ask what was deployed last, at the sender or the flow, and have it taken back.',
      watches: {
        expression: shareOf('rejected', 'delivered', VERDICTS_THAT_TELL),
        metrics: { rejected: own('Rejected', 'Sum'), delivered: own('Delivered', 'Sum') },
      },
      breachesAt: above(MOST_REJECTED_SHARE),
      periodSeconds: REJECTED_SECONDS,
      datapoints: [1, 1],
    },
    {
      ...named('in-flight'),
      severity: 'ticket',
      means: `So many messages of ${name} wait for another try that SQS soon hands out no more.`,
      toDo: 'Find out why they do not get through, or pause the sender.',
      watches: ofQueue(queueName, 'ApproximateNumberOfMessagesNotVisible'),
      breachesAt: atLeast(MOST_IN_FLIGHT),
      periodSeconds: MINUTE_SECONDS,
      datapoints: [3, 3],
    },
    // In FIFO what stands behind a message that waits for its next try counts as visible, and nobody may have it.
    ...(enabled && !fifo
      ? [
          {
            ...named('nobody-polls'),
            severity: 'page',
            means: `Messages have lain in the queue of ${name} for ${unpolledMinutes} minutes, and Lambda has handed none of them to the function.`,
            toDo: 'If the destination is paused, end that by npm run resume; else look whether the event source mapping lacks a permission or is throttled.',
            watches: {
              expression: 'IF(FILL(visible, 0) > 0 AND FILL(invoked, 0) == 0, 1, 0)',
              metrics: {
                visible: ofQueue(queueName, 'ApproximateNumberOfMessagesVisible'),
                invoked: {
                  namespace: 'AWS/Lambda',
                  name: 'InvokedEventCount',
                  dimensions: { EventSourceMappingUUID: ref(eventSourceMappingId(name)) },
                  statistic: 'Sum',
                },
              },
            },
            breachesAt: atLeast(1),
            periodSeconds: MINUTE_SECONDS,
            datapoints: [unpolledMinutes, unpolledMinutes],
          } as const,
        ]
      : []),
    ...(webhook === undefined || webhook.mode === 'direct'
      ? []
      : [
          {
            ...named('webhook-not-queued'),
            severity: 'page',
            means: `Senders to the webhook of ${name} are told 503, since SQS does not take their messages.`,
            toDo: 'Look at the reason in the lines webhook.not-queued: permissions of the function’s role, the queue, or AWS itself.',
            watches: own('NotQueued', 'Sum'),
            breachesAt: atLeast(1),
            periodSeconds: MINUTE_SECONDS,
            datapoints: [1, 15],
          } as const,
        ]),
  ];
}

/** The share of the one in both together; 0 where they are fewer than so many. */
function shareOf(one: string, other: string, least: number): string {
  const both = `(FILL(${one}, 0) + FILL(${other}, 0))`;
  return `IF(${both} >= ${least}, FILL(${one}, 0) / ${both}, 0)`;
}

function ofQueue(queueName: string, name: string): Metric {
  return { namespace: 'AWS/SQS', name, dimensions: { QueueName: queueName }, statistic: 'Maximum' };
}

/**
 * The tenant, where the settings tell it, else the host of the URL. Those of which nothing but the path is known have
 * their host from a secret: they are taken for one tenant's, as most stacks have one. With a cut-over between two
 * tenants there is none: an alarm does not say which side it is about, and no host that is down explains it.
 */
function hostOf(settings: Side): string | undefined {
  const hosts = new Set(
    sidesOf(settings).map(({ monitor, url }) => monitor ?? (url === undefined ? SAP : new URL(url).hostname)),
  );
  const [host] = hosts;
  const isKnown = host !== SAP || settings.cutover === undefined || isOfOneTenant(settings, settings.cutover.newSide);
  return hosts.size === 1 && isKnown ? host : undefined;
}
