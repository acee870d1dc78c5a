/** The kinds of fields in settings. Each error says what was expected, and never what was found. */
import * as v from 'valibot';
import { isOwned } from '../../http/headers.ts';
import { isSafeUrl } from '../../http/safe-url.ts';
import { nearest } from '../nearest.ts';

export const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
export const MEDIA_TYPE = /^[\w!#$&^.+-]+\/(\*|[\w!#$&^.+-]+)$/;
const QUEUE_NAME = /^[\w-]{1,80}$|^[\w-]{1,75}\.fifo$/;
/** A topic of SNS, or a rule of EventBridge, on its default bus or on one that is named. */
const SENDER_ARN =
  /^arn:aws[\w-]*:(sns:[\w-]+:\d{12}:[\w-]{1,256}(\.fifo)?|events:[\w-]+:\d{12}:rule\/[\w./-]{1,321})$/;
const QUEUE_ARN = /^arn:aws[\w-]*:sqs:[\w-]+:\d{12}:([\w-]{1,80}|[\w-]{1,75}\.fifo)$/;

export const text = (expected: string) => v.pipe(v.string(expected), v.minLength(1, expected));
/** In YAML everything in quotes is a text, and so is `yes`. */
const unlessText =
  (expected: string) =>
  ({ input }: v.BaseIssue<unknown>) =>
    typeof input === 'string' ? `${expected}, found a text` : expected;
export const flag = v.boolean(unlessText('expected true or false'));
export const whole = (minimum: number, maximum: number, unit: string) => {
  const expected = `expected a whole number of ${unit} from ${minimum} to ${maximum}`;
  return v.pipe(
    v.number(unlessText(expected)),
    v.integer(expected),
    v.minValue(minimum, expected),
    v.maxValue(maximum, expected),
  );
};
export const oneOf = <const T extends readonly string[]>(values: T) => {
  const expected = `expected ${values.join(' or ')}`;
  return v.picklist(values, ({ input }: v.PicklistIssue) => {
    const meant = typeof input === 'string' ? nearest(input, values) : undefined;
    return meant === undefined ? expected : `${expected}; did you mean ${meant}?`;
  });
};
const SECRET = 'expected the name or ARN of a secret in Secrets Manager';
/** Texts by name. A list would pass as a record, whose names are its indexes. */
export const named = <K extends v.GenericSchema<string, string>, T extends v.GenericSchema<string>>(
  name: K,
  value: T,
) =>
  v.pipe(
    v.unknown(),
    v.check((input) => !Array.isArray(input), NAMED),
    v.record(name, value, NAMED),
  );
const NAMED = 'expected names and texts';
/** Errors contain the secret's name. A secret that was pasted here by mistake must not get into one. */
export const secret = v.pipe(text(SECRET), v.regex(/^[\w/+=.@:-]{1,2048}$/, SECRET));
export const headerName = (expected: string) =>
  v.pipe(
    v.string(expected),
    v.regex(TOKEN, expected),
    v.check((name) => !isOwned(name), 'this header belongs to HTTP or to the relay and cannot be set'),
  );
export const NEVER_PASSED_ON = 'this header is never passed on';
export const headerPatterns = v.pipe(
  v.array(
    v.pipe(
      v.string('expected a header name'),
      v.regex(TOKEN, 'expected a header name, * at its end allowed'),
      v.check((name) => !isOwned(name), NEVER_PASSED_ON),
      v.check((name) => !name.slice(0, -1).includes('*'), 'expected * at the end alone'),
      v.toLowerCase(),
    ),
    'expected a list of header names',
  ),
);
export const NO_ID = 'this header is no id: it belongs to HTTP, or it is a credential';
const HEADER_OR_POINTER = 'expected a header name or a JSON pointer';
/** A place in a request: a header's name, made lower-case, or a JSON pointer (RFC 6901). */
export const headerOrPointer = v.pipe(
  v.string(HEADER_OR_POINTER),
  v.check(
    (value) => (value.startsWith('/') ? /^(\/([^~/]|~[01])*)+$/.test(value) : TOKEN.test(value)),
    `${HEADER_OR_POINTER} that starts with /`,
  ),
  v.check((value) => !isOwned(value), NO_ID),
  v.transform((value) => (value.startsWith('/') ? value : value.toLowerCase())),
);
export const url = v.pipe(
  v.string('expected a URL'),
  v.check(isSafeUrl, 'expected an https: URL without user and fragment (http: for loopback hosts alone)'),
);
const HOST = 'expected a host alone, such as acme.integrationsuite.cfapps.eu10.hana.ondemand.com';
export const hostName = v.pipe(
  v.string(HOST),
  v.regex(/^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/, HOST),
);
export const headerValue = v.pipe(
  v.string('expected a text'),
  v.regex(/^[\t\x20-\x7E]*$/, 'expected printable ASCII without line breaks'),
);
export const queue = v.pipe(
  v.string('expected the ARN of a queue'),
  v.check((value) => QUEUE_ARN.test(value) || QUEUE_NAME.test(value), 'expected the ARN of a queue'),
);
const SENDERS = 'expected a list of ARNs of SNS topics and EventBridge rules';
export const queueSenders = v.array(v.pipe(v.string(SENDERS), v.regex(SENDER_ARN, SENDERS)), SENDERS);
export const bucket = v.pipe(
  v.string('expected the name of a bucket'),
  v.regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'expected the name of a bucket'),
);

export const MISSING = 'required, but missing';

/** The message for valibot's issue of a missing field, or of a value that is no object. */
export const fieldProblem =
  (expected: string) =>
  (issue: v.ObjectIssue): string =>
    issue.expected === 'Object' ? expected : MISSING;

/** The path of an issue, for a check of several fields. */
export function pathOf(keys: readonly (string | number)[]): [v.IssuePathItem, ...v.IssuePathItem[]] {
  // Only the key of an item is ever read.
  return keys.map((key) => ({ type: 'unknown', origin: 'value', input: undefined, key, value: undefined })) as never;
}
