/**
 * The schema of `webhook.verify`: a name, an object with options, or a list of these. A preset becomes the `hmac` that
 * it stands for. `webhook.ts` fills in the secret of entries without one.
 */
import * as v from 'valibot';
import { isRecord } from '../../untrusted.ts';
import type { Verification } from '../verification.ts';
import { fieldProblem, headerName, oneOf, pathOf, secret, text, url, whole } from './fields.ts';

/** A verification that may still lack its secret; it gets the webhook's then. */
type WithoutSecret<T> = T extends { secret: string } ? Omit<T, 'secret'> & { readonly secret?: string } : T;
export type ReadVerification = WithoutSecret<Verification>;

const ownSecret = v.optional(secret);
const header = v.pipe(headerName('expected a header name'), v.toLowerCase());
const toleranceSeconds = v.optional(whole(1, 86_400, 'seconds'), 300);
const OPTIONS = fieldProblem('expected an object with type');
const SCOPE = 'expected one scope';
const ISSUER = 'expected an https: URL without query and fragment (http: for loopback hosts alone)';
const TEMPLATE = 'expected a text with {body} in it, once, and no other braces than those of {timestamp}';
const UNSIGNED = 'expected {timestamp} in it: a timestamp that is not signed proves nothing';
const UNTIMED = 'expected no {timestamp} where no timestampHeader names one';

interface HmacDefaults {
  readonly header?: string;
  readonly encoding?: 'hex' | 'base64';
  readonly prefix?: string;
  readonly messageId?: string;
}

function hmacFields<T extends string>(type: T, { header: name, encoding = 'hex', prefix = '' }: HmacDefaults) {
  return {
    type: v.literal(type),
    secret: ownSecret,
    header: name === undefined ? header : v.optional(header, name.toLowerCase()),
    algorithm: v.optional(oneOf(['sha256', 'sha512', 'sha1']), 'sha256'),
    encoding: v.optional(oneOf(['hex', 'base64']), encoding),
    signedContent: v.optional(
      v.pipe(
        v.string(TEMPLATE),
        v.check((value) => value.split('{body}').length === 2, TEMPLATE),
        v.check((value) => !/[{}]/.test(value.replaceAll(/\{(body|timestamp)\}/g, '')), TEMPLATE),
      ),
    ),
    toleranceSeconds,
    prefix: v.optional(v.pipe(v.string('expected a text'), v.regex(/^[!-~ ]*$/, 'expected printable ASCII')), prefix),
    timestampHeader: v.optional(header),
  };
}

/** The signature in one header, and the timestamp, if there is one, in another. */
function hmac<T extends string>(type: T, defaults: HmacDefaults = {}) {
  const { messageId } = defaults;
  const fields = hmacFields(type, defaults);
  const schema = v.pipe(
    v.object(fields, OPTIONS),
    v.transform((input) => ({
      ...input,
      type: 'hmac' as const,
      format: 'plain' as const,
      signedContent: input.signedContent ?? (input.timestampHeader === undefined ? '{body}' : '{timestamp}.{body}'),
      ...(messageId === undefined ? {} : { messageId }),
    })),
    signedTimestamp(({ timestampHeader }) => timestampHeader !== undefined),
  );
  return { fields, schema };
}

/** Signatures and timestamp in one header, each with a name. */
function signatureList(type: string, defaults: HmacDefaults) {
  const { messageId } = defaults;
  const { prefix, timestampHeader, ...fields } = hmacFields(type, defaults);
  const schema = v.pipe(
    v.object(fields, OPTIONS),
    v.transform(({ signedContent = '{timestamp}.{body}', ...input }) => ({
      ...input,
      type: 'hmac' as const,
      format: 'list' as const,
      prefix: '',
      signedContent,
      ...(messageId === undefined ? {} : { messageId }),
    })),
    signedTimestamp(() => true),
  );
  return { fields, schema };
}

function signedTimestamp<T extends { readonly signedContent: string }>(isTimed: (input: T) => boolean) {
  return v.rawCheck<T>(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const { value } = dataset;
    if (isTimed(value) === value.signedContent.includes('{timestamp}')) return;
    addIssue({ message: isTimed(value) ? UNSIGNED : UNTIMED, path: pathOf(['signedContent']) });
  });
}

function plain<const F extends v.ObjectEntries>(fields: F) {
  return { fields, schema: v.object(fields, OPTIONS) };
}

const KINDS = {
  basic: plain({ type: v.literal('basic'), secret: ownSecret }),
  'api-key': plain({ type: v.literal('api-key'), secret: ownSecret, header: v.optional(header, 'x-api-key') }),
  hmac: hmac('hmac'),
  'standard-webhooks': plain({ type: v.literal('standard-webhooks'), secret: ownSecret, toleranceSeconds }),
  jwt: plain({
    type: v.literal('jwt'),
    issuer: v.pipe(
      url,
      v.check((value) => !value.includes('?'), ISSUER),
    ),
    audience: text('expected the audience of the tokens'),
    scope: v.optional(v.pipe(v.string(SCOPE), v.regex(/^[!#-[\]-~]+$/, SCOPE))),
    jwksUri: v.optional(url),
  }),
  iam: plain({ type: v.literal('iam') }),
  none: plain({ type: v.literal('none') }),
  github: hmac('github', { header: 'X-Hub-Signature-256', prefix: 'sha256=', messageId: 'x-github-delivery' }),
  shopify: hmac('shopify', {
    header: 'X-Shopify-Hmac-Sha256',
    encoding: 'base64',
    messageId: 'x-shopify-webhook-id',
  }),
  stripe: signatureList('stripe', { header: 'Stripe-Signature', messageId: '/id' }),
  'sap-open-connectors': hmac('sap-open-connectors', {
    header: 'Elements-Webhook-Signature',
    encoding: 'base64',
    prefix: 'sha256=',
  }),
} as const;

type KindName = keyof typeof KINDS;
const NAMES = Object.keys(KINDS) as KindName[];
const name = oneOf(NAMES);

function kindOf(input: unknown): (typeof KINDS)[KindName] | undefined {
  const type = isRecord(input) ? input.type : input;
  return typeof type === 'string' && Object.hasOwn(KINDS, type) ? KINDS[type as KindName] : undefined;
}

const one = v.lazy((input): v.GenericSchema<unknown, ReadVerification> => {
  const schema = kindOf(input)?.schema as v.GenericSchema<unknown, ReadVerification> | undefined;
  // Not a known kind: one of these schemas refuses it, at the path of its name.
  if (schema === undefined) return (isRecord(input) ? v.object({ type: name }, OPTIONS) : name) as never;
  if (isRecord(input)) return schema;
  return v.pipe(
    v.string(),
    v.transform((type): unknown => ({ type })),
    schema,
  );
});

/** Always a list. */
export const verify = v.pipe(
  v.lazy((input): v.GenericSchema<unknown, ReadVerification | ReadVerification[]> => {
    if (!Array.isArray(input)) return one;
    return v.pipe(v.array(one), v.minLength(1, 'expected at least one way to verify'));
  }),
  v.transform((read) => (Array.isArray(read) ? read : [read])),
  v.check(
    (read) => read.length === 1 || !read.some(({ type }) => type === 'iam' || type === 'none'),
    'iam and none stand alone',
  ),
);

/** The objects under `verify`, each with the fields that its kind has, and its path from there. */
export function verifyObjects(input: unknown): { value: Record<string, unknown>; fields: object; path: string }[] {
  const entries = Array.isArray(input)
    ? input.map((value, index) => ({ value, path: `.${index}` }))
    : [{ value: input, path: '' }];
  return entries.flatMap(({ value, path }) => {
    const fields = kindOf(value)?.fields;
    return isRecord(value) && fields !== undefined ? [{ value, fields, path }] : [];
  });
}
