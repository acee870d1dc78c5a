/** The schema of `custom.destinations.<name>.webhook`: who may send by HTTP, and where the messages go. */
import * as v from 'valibot';
import type { Verification } from '../verification.ts';
import {
  fieldProblem,
  headerOrPointer,
  headerPatterns,
  MEDIA_TYPE,
  MISSING,
  NEVER_PASSED_ON,
  NO_ID,
  oneOf,
  pathOf,
  secret,
  whole,
} from './fields.ts';
import { type ReadVerification, verify } from './verify.ts';

const ORIGINS = "expected a list of origins, or '*' for all";
/** CloudEvents names an origin by its host; some senders add scheme and port. */
const origin = v.pipe(
  v.string(ORIGINS),
  v.regex(/^(\*|[\w.:/[\]-]{1,253})$/, 'expected an origin, such as eventemitter.example.com'),
);

export const webhookFields = {
  verify,
  secret: v.optional(secret),
  mode: v.optional(oneOf(['queued', 'direct', 'direct-else-queued']), 'queued'),
  messageId: v.optional(headerOrPointer),
  messageGroupId: v.optional(headerOrPointer),
  methods: v.optional(
    v.pipe(
      v.array(oneOf(['POST', 'PUT', 'PATCH', 'DELETE']), 'expected a list of POST, PUT, PATCH, DELETE'),
      v.minLength(1, 'expected at least one method'),
    ),
    () => ['POST' as const],
  ),
  contentTypes: v.optional(
    v.pipe(
      v.array(
        v.pipe(
          v.string('expected a media type'),
          v.regex(MEDIA_TYPE, 'expected a media type without parameters'),
          v.toLowerCase(),
        ),
        'expected a list of media types',
      ),
      v.minLength(1, 'expected at least one media type; leave the field out for any'),
    ),
  ),
  maxBodyBytes: v.optional(whole(1, 6_291_456, 'bytes'), 6_291_456),
  maxHeaderBytes: v.optional(whole(256, 65_536, 'bytes'), 16_384),
  forwardHeaders: v.optional(headerPatterns),
  returnHeaders: v.optional(headerPatterns, () => []),
  allowedOrigins: v.optional(
    v.union(
      [
        v.pipe(
          v.literal('*'),
          v.transform(() => ['*']),
        ),
        v.array(origin, ORIGINS),
      ],
      ORIGINS,
    ),
    () => [],
  ),
};

const read = v.object(
  webhookFields,
  fieldProblem('expected an object with verify and secret; leave webhook out where there is to be none'),
);
type Read = v.InferOutput<typeof read>;

export const webhook = v.pipe(
  read,
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    for (const [keys, message] of contradictions(dataset.value)) addIssue({ message, path: pathOf(keys) });
  }),
  v.transform(({ verify: ways, secret: common, ...input }) => ({
    ...input,
    verify: ways.map((way) => (needsSecret(way) ? { ...way, secret: way.secret ?? common } : way) as Verification),
  })),
);

/** Problems of fields that are valid one by one and not together. */
function contradictions({ verify: ways, secret: common, ...input }: Read): [(string | number)[], string][] {
  const found: [(string | number)[], string][] = [];
  const goBySecret = ways.some((way) => needsSecret(way) && way.secret === undefined);
  if (common === undefined && goBySecret) found.push([['secret'], MISSING]);
  // Its owner would believe that it protects something.
  if (common !== undefined && !goBySecret) found.push([['secret'], 'nothing in verify goes by it; leave it out']);
  const keys = keyHeaders(ways);
  for (const field of ['messageId', 'messageGroupId'] as const) {
    if (keys.includes(input[field] ?? '')) found.push([[field], NO_ID]);
  }
  for (const field of ['forwardHeaders', 'returnHeaders'] as const) {
    for (const [index, name] of (input[field] ?? []).entries())
      if (keys.includes(name)) found.push([[field, index], NEVER_PASSED_ON]);
  }
  return found;
}

function needsSecret(way: ReadVerification): way is Extract<ReadVerification, { secret?: string }> {
  return way.type !== 'jwt' && way.type !== 'iam' && way.type !== 'none';
}

/** The headers with API keys: credentials, as `Authorization` is. */
export function keyHeaders(ways: readonly { readonly type: string; readonly header?: string }[]): string[] {
  return ways.flatMap(({ type, header }) => (type === 'api-key' && header !== undefined ? [header] : []));
}
