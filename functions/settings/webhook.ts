/** The schema of `custom.destinations.<name>.webhook`: who may come in by HTTP, and what becomes of what they bring. */
import * as v from 'valibot';
import { fieldProblem, headerOrPointer, headerPatterns, MEDIA_TYPE, notYet, oneOf, secret, whole } from './fields.ts';

export const webhookFields = {
  verify: notYet(
    ['basic'],
    [
      'api-key',
      'hmac',
      'standard-webhooks',
      'jwt',
      'iam',
      'none',
      'github',
      'shopify',
      'stripe',
      'sap-open-connectors',
    ],
  ),
  secret,
  mode: v.optional(oneOf('queued', 'direct', 'direct-else-queued'), 'queued'),
  messageId: v.optional(headerOrPointer),
  messageGroupId: v.optional(headerOrPointer),
  methods: v.optional(
    v.pipe(
      v.array(oneOf('POST', 'PUT', 'PATCH', 'DELETE'), 'expected a list of POST, PUT, PATCH, DELETE'),
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
};
export const webhook = v.object(webhookFields, fieldProblem);
