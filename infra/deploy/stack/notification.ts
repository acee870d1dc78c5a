/**
 * What `custom` says of who is told of trouble, and when not: `alarms` (a mail address, or a topic of one's own) and
 * `maintenance` (windows in which nobody is woken).
 */
import { unknownFields } from '../../../functions/settings/unknown-fields.ts';
import { isRecord } from '../../../functions/untrusted.ts';

/** Who is told, and from when on a message that does not get through is worth it. */
export interface Alarms {
  /** A topic is made, and this address subscribed to it; AWS asks it for confirmation. */
  readonly mail?: string;
  /** An existing topic of SNS in the stack's own region. */
  readonly topicArn?: string;
  /** Age of a message that was tried and not delivered. Default 900. */
  readonly notDeliveredAfterSeconds: number;
}

/** A window that comes back. */
export interface Maintenance {
  /** When it begins: minute, hour, day of month, month, day of week, as in `0 20 * * SAT`. */
  readonly cron: string;
  readonly hours: number;
  /** As the tz database names it. Default UTC. */
  readonly timezone?: string;
}

export const DEFAULT_NOT_DELIVERED_AFTER_SECONDS = 900;
/** Above an hour nobody would be woken while senders wait; below a minute every retry would. */
const NOT_DELIVERED_SECONDS = { from: 60, to: 86_400 };
/** A mute rule lasts 15 days at most, says its API reference. */
const LONGEST_HOURS = 360;

const MAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
const TOPIC_ARN = /^arn:aws[\w-]*:sns:([\w-]+):\d{12}:[\w-]{1,256}$/;
const CRON = /^[\w*/,?#-]+( [\w*/,?#-]+){4}$/;
const TIMEZONE = /^[A-Za-z][\w+-]*(\/[\w+-]+){0,2}$/;

/** @param region of the stack: an alarm tells topics of no other @returns one line for each mistake */
export function alarmsMistakes(value: unknown, region: string): string[] {
  const path = 'custom.alarms';
  if (value === undefined) return [];
  if (!isRecord(value)) return [`${path}: expected an object with mail, or with topicArn`];
  const { mail, topicArn, notDeliveredAfterSeconds: seconds } = value;
  const lines = unknownFields(value, ['mail', 'topicArn', 'notDeliveredAfterSeconds'], path);
  if ((mail === undefined) === (topicArn === undefined)) lines.push(`${path}: expected either mail or topicArn`);
  if (mail !== undefined && !matches(mail, MAIL)) lines.push(`${path}.mail: expected a mail address`);
  if (topicArn !== undefined && !(matches(topicArn, TOPIC_ARN) && String(topicArn).split(':')[3] === region))
    lines.push(`${path}.topicArn: expected the ARN of a standard topic of SNS in ${region}`);
  if (seconds !== undefined && !isWhole(seconds, NOT_DELIVERED_SECONDS)) {
    const { from, to } = NOT_DELIVERED_SECONDS;
    lines.push(`${path}.notDeliveredAfterSeconds: expected a whole number of seconds from ${from} to ${to}`);
  }
  return lines;
}

/** @returns one line for each mistake */
export function maintenanceMistakes(value: unknown, { hasAlarms }: { readonly hasAlarms: boolean }): string[] {
  const path = 'custom.maintenance';
  if (value === undefined) return [];
  if (!Array.isArray(value)) return [`${path}: expected a list of windows with cron and hours`];
  const lines = value.flatMap((window, index) => windowMistakes(window, `${path}[${index}]`));
  return hasAlarms ? lines : [`${path}: there is nothing to silence without custom.alarms`, ...lines];
}

function windowMistakes(window: unknown, path: string): string[] {
  if (!isRecord(window)) return [`${path}: expected an object with cron and hours`];
  const { cron, hours, timezone } = window;
  const lines = unknownFields(window, ['cron', 'hours', 'timezone'], path);
  if (!matches(cron, CRON))
    lines.push(`${path}.cron: expected minute, hour, day of month, month and day of week, as in 0 20 * * SAT`);
  if (!isWhole(hours, { from: 1, to: LONGEST_HOURS }))
    lines.push(`${path}.hours: expected a whole number of hours from 1 to ${LONGEST_HOURS}`);
  if (timezone !== undefined && !(matches(timezone, TIMEZONE) && String(timezone).length <= 50))
    lines.push(`${path}.timezone: expected a time zone of the tz database, as in Europe/Berlin`);
  return lines;
}

function matches(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value);
}

function isWhole(value: unknown, { from, to }: { readonly from: number; readonly to: number }): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= from && value <= to;
}
