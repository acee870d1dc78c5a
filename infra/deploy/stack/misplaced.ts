/**
 * What a blank too few or too many does in serverless.yml: a destination becomes a field of `custom` and is gone, a webhook
 * becomes a destination. Told in one line for each block that stands in the wrong place, in place of a line for everything
 * that is then missing there or not known.
 */
import { destinationFields } from '../../../functions/settings/schema/destination.ts';
import { webhookFields } from '../../../functions/settings/schema/webhook.ts';
import { isRecord } from '../../../functions/untrusted.ts';

export interface Placed {
  /** One for each block that stands in the wrong place. */
  readonly lines: readonly string[];
  /** What is left to be checked by itself. */
  readonly rest: Readonly<Record<string, unknown>>;
}

const isDestinationField = (name: string) => Object.hasOwn(destinationFields, name);
const isWebhookField = (name: string) => Object.hasOwn(webhookFields, name) && !isDestinationField(name);
/** Nothing else here has an endpoint. */
const isDestination = (value: unknown) => isRecord(value) && ('url' in value || 'path' in value);

/** @param destinations `custom.destinations` */
export function misplacedInDestinations(destinations: Readonly<Record<string, unknown>>): Placed {
  const lines: string[] = [];
  const rest: Record<string, unknown> = {};
  let above: string | undefined;
  let below: string[] = [];
  for (const [name, value] of [...Object.entries(destinations), [undefined, undefined] as const]) {
    if (name !== undefined && isDestinationField(name) && !isDestination(value)) {
      below.push(name);
      continue;
    }
    if (below.length > 0) {
      lines.push(`custom.destinations.${below[0]}: ${belongsTo(above, below)}`);
      // Without them it would lack what it has.
      if (above !== undefined) delete rest[above];
    }
    if (name === undefined) break;
    const placed = isRecord(value) ? misplacedInDestination(name, value) : undefined;
    lines.push(...(placed?.lines ?? []));
    rest[name] = placed?.rest ?? value;
    above = name;
    below = [];
  }
  return { lines, rest };
}

function misplacedInDestination(name: string, destination: Readonly<Record<string, unknown>>): Placed {
  const path = `custom.destinations.${name}`;
  const { webhook } = destination;
  const inside = isRecord(webhook)
    ? outdented(webhook, webhookFields, `${path}.webhook`)
    : { lines: [], rest: webhook };
  const beside = Object.keys(destination).filter(isWebhookField);
  const { lines, rest } = outdented(destination, destinationFields, path);
  const others = Object.entries(rest).filter(([field]) => !beside.includes(field) && field !== 'webhook');
  const hasWebhook = 'webhook' in destination && !(webhook === null && beside.length > 0);
  return {
    lines: [
      ...lines,
      ...inside.lines,
      ...(beside.length > 0
        ? [`${path}.${beside[0]}: belongs to webhook; indent ${them(beside)} below ${name}.webhook`]
        : []),
    ],
    rest: { ...Object.fromEntries(others), ...(hasWebhook ? { webhook: inside.rest } : {}) },
  };
}

/** Destinations among the fields of something else. */
function outdented(value: Readonly<Record<string, unknown>>, fields: object, path: string): Placed {
  const found = Object.keys(value).filter((field) => !Object.hasOwn(fields, field) && isDestination(value[field]));
  return {
    lines: found.map((field) => `${path}.${field}: looks like a destination; indent it as far as the others`),
    rest: Object.fromEntries(Object.entries(value).filter(([field]) => !found.includes(field))),
  };
}

/** @returns for a field of `custom` that it does not have, where it belongs; undefined if nothing tells */
export function misplacedInCustom(field: string, value: unknown): string | undefined {
  if (isDestination(value)) return 'looks like a destination; indent it below custom.destinations';
  return isDestinationField(field) ? 'belongs to a destination; indent it below its name' : undefined;
}

function belongsTo(destination: string | undefined, fields: readonly string[]): string {
  if (destination === undefined) return `belongs to a destination; put its name above ${them(fields)}`;
  return `belongs to ${destination} above it; indent ${them(fields)} below ${destination}`;
}

function them([first, ...more]: readonly string[]): string {
  return more.length === 0 ? 'it' : [first, ...more].join(', ');
}
