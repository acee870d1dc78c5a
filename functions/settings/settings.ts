/**
 * Checks the operator's settings: `DESTINATIONS` of the environment at the cold start, `custom.destinations` when the
 * service is packaged. Both by the same schema. A mistake is named by its path (`orders.webhook.verfy`) and never by
 * its value, which may be a key.
 */
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import * as v from 'valibot';
import { RelayError } from '../error.ts';
import { isRecord } from '../untrusted.ts';
import { type Destination, isOfOneTenant } from './destination.ts';
import { cutoverFields, newSideOf, WAY_FIELDS } from './schema/cutover.ts';
import { DESTINATION_EXPECTED, destination, destinationFields } from './schema/destination.ts';
import { MISSING } from './schema/fields.ts';
import { verifyObjects } from './schema/verify.ts';
import { webhookFields } from './schema/webhook.ts';
import { unknownFields } from './unknown-fields.ts';

export interface Settings {
  /** In the order of the settings. */
  readonly destinations: ReadonlyMap<string, Destination | InvalidDestination>;
}

/** A destination with a mistake. It is kept, so that the log line of each of its messages names the mistake. */
export interface InvalidDestination {
  readonly error: RelayError;
  /** Absent where it could not be read. */
  readonly queue?: string;
  /** Whether it was to have a webhook. */
  readonly hasWebhook: boolean;
}

const NAME = /^[A-Za-z][A-Za-z0-9-]{0,62}$/;

/**
 * Checks all destinations; every mistake is found, not the first alone.
 *
 * @param input the value of `custom.destinations`, or the parsed value of `DESTINATIONS`
 * @returns one line for each mistake, `<path>: <what was expected>`; empty if all is well
 */
export function problems(input: unknown): string[] {
  if (!isRecord(input) || Object.keys(input).length === 0) {
    return ['destinations: expected an object with at least one destination'];
  }
  return [...Object.entries(input).flatMap(([name, value]) => problemsOf(name, value)), ...sharedQueues(input)];
}

/**
 * Reads the settings of this execution environment.
 *
 * @param environment default `process.env`
 * @param readFile reads the file that `DESTINATIONS=@destinations.json` names, in the bundle's folder
 * @throws RelayError `SETTING_INVALID` if `DESTINATIONS` is absent or not a JSON object: nothing could be delivered
 */
export function readSettings(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  readFile: (name: string) => string = (name) => readFileSync(new URL(name, import.meta.url), 'utf8'),
): Settings {
  const input = parse(environment.DESTINATIONS, readFile);
  const shared = sharedQueues(input);
  const destinations = new Map<string, Destination | InvalidDestination>();
  for (const [name, value] of Object.entries(input)) {
    const [problem] = [...problemsOf(name, value), ...shared.filter((line) => line.startsWith(`${name}.`))];
    destinations.set(name, problem === undefined ? checked(name, value) : invalid(problem, value));
  }
  return { destinations };
}

/** By the ARN, else by the queue's name, else the only destination, if it names no queue. */
export function destinationOfQueue(
  queueArn: string,
  { destinations }: Settings,
): [string, Destination | InvalidDestination] | undefined {
  const entries = [...destinations];
  return (
    entries.find(([, { queue }]) => queue === queueArn) ??
    // A bare name is of this account. The same name in an ARN may be of another account, so it comes last.
    entries.find(([, { queue }]) => queue === queueName(queueArn)) ??
    entries.find(([, { queue }]) => queue !== undefined && queueName(queue) === queueName(queueArn)) ??
    (entries.length === 1 && entries[0]?.[1].queue === undefined ? entries[0] : undefined)
  );
}

function parse(value: string | undefined, readFile: (name: string) => string): Record<string, unknown> {
  if (value === undefined || value === '') throw settingInvalid('expected a JSON object, found nothing');
  let input: unknown;
  try {
    input = JSON.parse(value.startsWith('@') ? readFile(`./${value.slice(1)}`) : value);
  } catch {
    // Without the message of JSON.parse, which quotes its input.
    throw settingInvalid(value.startsWith('@') ? 'expected a readable JSON file' : 'expected JSON');
  }
  if (!isRecord(input) || Object.keys(input).length === 0) {
    throw settingInvalid('expected a JSON object with at least one destination');
  }
  return input;
}

function invalid(problem: string, value: unknown): InvalidDestination {
  const queue = queueOf(value);
  const hasWebhook = isRecord(value) && value.webhook !== undefined;
  return { error: settingInvalid(problem), hasWebhook, ...(queue === undefined ? {} : { queue }) };
}

function settingInvalid(problem: string): RelayError {
  return new RelayError(
    'SETTING_INVALID',
    `DESTINATIONS: ${problem}; the operator must correct custom.destinations in serverless.yml and deploy again`,
  );
}

/** Only for input without a problem. */
function checked(name: string, value: unknown): Destination {
  const { cutover, ...settings } = v.parse(destination, value);
  if (cutover === undefined || !isRecord(value) || !isRecord(value.cutover))
    return { name, ...settings } as Destination;
  const { cutover: _, monitor, ...other } = v.parse(destination, newSideOf(value));
  // Another tenant's monitor does not show what this one runs.
  const isItsOwn = monitor !== undefined && ('monitor' in value.cutover || isOfOneTenant(settings, other));
  const newSide = { name, ...other, ...(isItsOwn ? { monitor } : {}), side: 'new' } as Destination;
  return { name, ...settings, side: 'old', cutover: { ...cutover, newSide } } as Destination;
}

function problemsOf(name: string, value: unknown): string[] {
  const named = NAME.test(name)
    ? []
    : [`${name}: expected a name of letters, digits and -, 63 at most, a letter first`];
  if (!isRecord(value)) return [...named, `${name}: ${DESTINATION_EXPECTED}`];
  const own = issuesOf(value);
  const lines = own.map(([path, message]) => `${[name, path].filter(Boolean).join('.')}: ${message}`);
  const { cutover } = value;
  if (isRecord(cutover)) lines.push(...problemsOfNewSide(value, cutover, own).map((line) => `${name}.cutover${line}`));
  const unknown = [
    ...unknownFields(value, Object.keys(destinationFields), name),
    ...(isRecord(cutover) ? unknownInCutover(cutover, `${name}.cutover`) : []),
    ...(isRecord(value.webhook) ? unknownFields(value.webhook, Object.keys(webhookFields), `${name}.webhook`) : []),
    ...(isRecord(value.webhook) ? unknownOptions(value.webhook.verify, `${name}.webhook.verify`) : []),
  ];
  const others = [...new Set(lines)].filter((line) => !isMisspelt(line, unknown));
  return [...named, ...unknown, ...others].map(oneLine);
}

type Issue = readonly [path: string, message: string];

function issuesOf(written: Readonly<Record<string, unknown>>): Issue[] {
  const parsed = v.safeParse(destination, written);
  return (parsed.success ? [] : parsed.issues).map((issue) => [v.getDotPath(issue) ?? '', issue.message]);
}

/** Mistakes that the destination by itself does not have. @param own those that it has */
function problemsOfNewSide(
  written: Readonly<Record<string, unknown>>,
  cutover: Readonly<Record<string, unknown>>,
  own: readonly Issue[],
): string[] {
  const newSide = newSideOf(written);
  const isMeant = Object.keys(cutover).every((field) => field in cutoverFields || WAY_FIELDS.includes(field));
  if (isMeant && isDeepStrictEqual(withDefaults(newSide), withDefaults(newSideOf({ ...written, cutover: {} })))) {
    return [': expected what differs on the new side, such as secret and path'];
  }
  const found = issuesOf(newSide).filter(
    ([path, message]) => path in cutover || !own.some((issue) => issue[0] === path && issue[1] === message),
  );
  return found.map(([path, message]) => `.${path}: ${message}`);
}

/** As it is written, where it has a mistake. */
function withDefaults(written: Readonly<Record<string, unknown>>): unknown {
  const parsed = v.safeParse(destination, written);
  return parsed.success ? parsed.output : written;
}

function unknownInCutover(cutover: Record<string, unknown>, path: string): string[] {
  const known = [...Object.keys(cutoverFields), ...WAY_FIELDS];
  const shared = Object.keys(cutover).filter((field) => !known.includes(field) && field in destinationFields);
  const others = Object.fromEntries(Object.entries(cutover).filter(([field]) => !shared.includes(field)));
  return [
    ...shared.map((field) => `${path}.${field}: is not of the way to SAP, both sides share the destination's`),
    ...unknownFields(others, known, path),
  ];
}

/** A name may contain anything, even a line break. */
function oneLine(line: string): string {
  return line.replace(/\p{Cc}/gu, '?');
}

/** Of a field that is there as well, misspelt: one mistake, one line. */
function isMisspelt(line: string, unknown: readonly string[]): boolean {
  const [, path = '', field] = /^(.*\.)(\w+): /.exec(line) ?? [];
  if (!line.endsWith(`: ${MISSING}`)) return false;
  return unknown.some((other) => other.startsWith(path) && other.endsWith(`, did you mean ${field}?`));
}

function unknownOptions(verify: unknown, path: string): string[] {
  return verifyObjects(verify).flatMap(({ value, fields, path: below }) => {
    const options = Object.keys(fields).filter((field) => field !== 'type');
    const known = `; this kind takes ${options.length === 0 ? 'no options' : options.join(', ')}`;
    return unknownFields(value, Object.keys(fields), `${path}${below}`, known);
  });
}

function sharedQueues(input: Record<string, unknown>): string[] {
  const owners: { readonly name: string; readonly queue: string }[] = [];
  const lines: string[] = [];
  for (const [name, value] of Object.entries(input)) {
    const queue = queueOf(value);
    if (queue === undefined) continue;
    const owner = owners.find((other) => isSameQueue(other.queue, queue));
    if (owner === undefined) owners.push({ name, queue });
    else lines.push(`${name}.queue: expected a queue of its own, ${owner.name}.queue is the same`);
  }
  return lines;
}

function queueOf(value: unknown): string | undefined {
  return isRecord(value) && typeof value.queue === 'string' ? value.queue : undefined;
}

/** A bare name and an ARN are the same queue if the name is; two different ARNs are two queues. */
function isSameQueue(one: string, other: string): boolean {
  if (one.startsWith('arn:') === other.startsWith('arn:')) return one === other;
  return queueName(one) === queueName(other);
}

/** The last part of an ARN, or the name itself. */
function queueName(queue: string): string {
  return queue.slice(queue.lastIndexOf(':') + 1);
}
